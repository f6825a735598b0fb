"""One file, one source of images. A source *reads*."""

from collections.abc import Callable, Iterator
from typing import Protocol

from pstgen.config import BuildConfig
from pstgen.records import Refusals, Scene


class Source(Protocol):
    """What a module in this folder defines."""

    def scenes(self, config: BuildConfig, wanted: Callable[[str], bool], refused: Refusals) -> Iterator[Scene]:
        """Every scene whose id is wanted, in the order of their ids, one at a time.

        Each image has been opened and found sound; what is not sound is named in `refused`. Reading twice
        gives the same scenes. Raises BadInput where there is no such source.
        """
        ...

    def origin(self, config: BuildConfig) -> dict[str, str]:
        """Where the images come from, for card and manifest: name, licence, address, sha256 of annotation files."""
        ...
