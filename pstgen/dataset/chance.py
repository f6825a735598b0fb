"""What a coin wins that is thrown for each picture: every share of pairs is read beside it, since words alone win none."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from statistics import fmean

from pstgen.core.records import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """The share of pairs, 0 to 1, that is won where every picture gets a draw of its own.

    options: of all the options that are offered, each as likely. answers: of those alone that are right for one of the
    twins, as somebody draws who knows which answers occur and not where. A pair of two twins is won by the second in a
    quarter of the throws, a group of four in one of 256.
    """

    options: float
    answers: float

    def __str__(self) -> str:
        """Both in a sentence.

        >>> print(Coin(options=0.0625, answers=0.25))
        thrown for each picture, a coin between the twins' answers wins 25.0% of the pairs, a draw from all options 6.2%
        """
        return (
            f"thrown for each picture, a coin between the twins' answers wins {self.answers:.1%} of the pairs, "
            f"a draw from all options {self.options:.1%}"
        )


def coin(pairs: Iterable[Sequence[tuple[int, Hashable]]]) -> Coin:
    """Of each twin of each pair: how many options it offers, and its answer. Raises ValueError where there is no pair.

    >>> coin([[(4, "red"), (4, "blue")]])
    Coin(options=0.0625, answers=0.25)
    """
    twins = [list(pair) for pair in pairs]
    if not twins:
        raise ValueError("no pair to throw a coin for")
    return Coin(
        options=fmean(prod(1 / options for options, _ in pair) for pair in twins),
        answers=fmean(len({answer for _, answer in pair}) ** -len(pair) for pair in twins),
    )


def coin_of(pairs: Iterable[Pair]) -> Coin:
    """The same of pairs of ours."""
    return coin([(len(item.options), item.answer) for item in pair.items] for pair in pairs)
