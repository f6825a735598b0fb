"""A number that is expected, with its upper bound."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """How many are expected, and how many there can be at most.

    >>> 2 * (Number(1, 5) + Number(2, 5))
    Number(expected=6, most=20)
    """

    expected: float
    most: float

    def __add__(self, other: "Number") -> "Number":
        return Number(self.expected + other.expected, self.most + other.most)

    def __rmul__(self, factor: float) -> "Number":
        return Number(factor * self.expected, factor * self.most)


NOTHING = Number(0.0, 0.0)
