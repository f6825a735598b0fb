"""Caches: of one result, since of one scene many things are asked before the next scene comes; and of arrays, by their bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

A = TypeVar("A")
B = TypeVar("B")
Pixels = TypeVar("Pixels", bound=NDArray[Any])


def cache_last(function: Callable[[A], B]) -> Callable[[A], B]:
    """Keep the result for the last argument; it goes by the object's identity, and nothing is hashed or compared."""
    last: list[tuple[A, B]] = []

    @wraps(function)
    def cached(argument: A) -> B:
        if not last or last[0][0] is not argument:
            last[:] = [(argument, function(argument))]
        return last[0][1]

    return cached


class Kept(Generic[Pixels]):
    """Arrays by name: the last one, and before it as many of the latest as take no more than `most` bytes together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.bytes = 0
        self.arrays: OrderedDict[Hashable, Pixels] = OrderedDict()

    def get(self, name: Hashable, make: Callable[[], Pixels]) -> Pixels:
        """The array of that name; it is made where it is not kept."""
        if name not in self.arrays:
            self.arrays[name] = made = make()
            self.bytes += made.nbytes
        self.arrays.move_to_end(name)
        while len(self.arrays) > 1 and self.bytes > self.most:
            self.bytes -= self.arrays.popitem(last=False)[1].nbytes
        return self.arrays[name]

    def clear(self) -> None:
        """Keep none."""
        self.arrays.clear()
        self.bytes = 0
