"""One file, one source of images. A source *reads*."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from pstgen.core import plugins
from pstgen.core.config import BuildConfig
from pstgen.core.records import Refusals, Scene

PRIOR = "prior"  # the split that scenes of a file of the prior's own are called


class Entry(NamedTuple):
    """A scene before it is read. image: its file's name in the source; at_hand: is that file there?"""

    id: str
    image: str
    at_hand: bool


class Source(Protocol):
    """What a module in this folder defines."""

    def index(self, config: BuildConfig) -> list[Entry]:
        """Every scene there is, in the order in which it is read. Raises BadInput where there is no such source."""
        ...

    def scenes(
        self,
        config: BuildConfig,
        wanted: Callable[[str], bool],
        refused: Refusals,
        pictured: Callable[[str], bool] = lambda _: True,
    ) -> Iterator[Scene]:
        """Every scene whose id is wanted, one at a time, in the order of the index.

        Its image is not opened here. A scene that is not `pictured` comes as annotated alone: without a path and without
        masks. What cannot be read is named in `refused`. Reading twice gives the same scenes. Raises BadInput where there
        is no such source.
        """
        ...

    def origin(self, config: BuildConfig) -> dict[str, str]:
        """Where the images come from, for card and manifest: name, licence, address, sha256 of annotation files."""
        ...


def load(name: str) -> Source:
    """The source of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Source = plugins.load("sources", name)
    return plugin
