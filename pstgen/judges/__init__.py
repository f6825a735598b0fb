"""One file, one kind of judge. A judge *answers*."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pstgen.config import BuildConfig
from pstgen.records import Item, Verdict


class Judge(Protocol):
    """Something that answers items.

    name: as it stands in scores.parquet. revision: what exactly answered (version, sha256 of weights).
    looks: does it open the image it is given? sees: and is it the item's own? If not, it is a baseline.
    """

    name: str
    revision: str
    looks: bool
    sees: bool

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """One verdict an item, in their order."""
        ...


class Opener(Protocol):
    """What a module in this folder defines."""

    def open(self, config: BuildConfig, lessons: Sequence[Item], /) -> Sequence[Judge]:
        """Make the judges of this kind ready; several, where one model looks in several ways.

        lessons: what the source's statistics teach, as items of scenes that give none to the dataset.
        Raises Unavailable where a model does not load.
        """
        ...
