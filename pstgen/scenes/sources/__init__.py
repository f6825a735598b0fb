"""One file, one source of images. A source *reads*."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from pstgen.core import plugins
from pstgen.core.config import BuildConfig
from pstgen.core.records import Scene
from pstgen.core.report import Refusals
from pstgen.scenes.licences import Licence, count

PRIOR = "prior"  # the name of the split, where the prior has a file of scenes of its own


Wanted = Callable[[str], bool]  # by a scene's id


def everything(_scene_id: str) -> bool:
    """Every scene is wanted."""
    return True


class Entry(NamedTuple):
    """A scene before it is read. image: its file's name in the source; fault: why that file is not at hand, or "".

    licence: of its image, as the scene has it.
    """

    id: str
    image: str
    fault: str = ""
    licence: str = ""

    @property
    def at_hand(self) -> bool:
        """Is the file there?"""
        return not self.fault


class Source(Protocol):
    """What a module in this folder defines.

    It may also define `defaults(config) -> BuildConfig`: the configuration with what the source fills in where the user
    left it open (None, "" or empty), such as scenes for the prior or models that come with the source. A source that has
    nothing to read may name another source there. And `notes(config) -> Iterable[str]`: what the user should know of it;
    `searched(config) -> Sequence[Path]`: the folders in which pictures were looked for; `licences(config) ->
    Iterable[Licence]`: those that it lists, with ids and names.
    """

    def index(self, config: BuildConfig) -> list[Entry]:
        """Every scene there is, in the order in which it is read. Raises BadInput where the source has no files."""
        ...

    def scenes(
        self,
        config: BuildConfig,
        wanted: Wanted,
        refused: Refusals,
        pictured: Wanted = everything,
    ) -> Iterator[Scene]:
        """Every scene whose id is wanted, one at a time, in the order of the index.

        Its image is not opened here. A scene that is not `pictured` comes with its annotations alone: without a path and
        without masks. What cannot be read is recorded in `refused`. Reading twice gives the same scenes. Raises BadInput
        where the source has no files.
        """
        ...

    def origin(self, config: BuildConfig) -> dict[str, str]:
        """Where the images come from, for card and manifest: name, licence, address, sha256 of annotation files."""
        ...


def load(name: str) -> Source:
    """The source of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Source = plugins.load("sources", name)
    return plugin


def notes(config: BuildConfig) -> Iterable[str]:
    """What the user should know of the source."""
    tell: Callable[[BuildConfig], Iterable[str]] | None = getattr(load(config.source.name), "notes", None)
    return tell(config) if tell else ()


def searched(config: BuildConfig) -> Sequence[Path]:
    """The folders in which the source's pictures were looked for."""
    places: Callable[[BuildConfig], Sequence[Path]] | None = getattr(load(config.source.name), "searched", None)
    return places(config) if places else ()


def licences(config: BuildConfig, entries: Iterable[Entry]) -> dict[Licence, int]:
    """The licences of these scenes of the source, with the number of scenes."""
    known: Callable[[BuildConfig], Iterable[Licence]] | None = getattr(load(config.source.name), "licences", None)
    return count((entry.licence for entry in entries), list(known(config)) if known else ())


def with_defaults(config: BuildConfig) -> BuildConfig:
    """The configuration with what its source, or the one that the source names instead, fills in."""
    fill_in: Callable[[BuildConfig], BuildConfig] | None = getattr(load(config.source.name), "defaults", None)
    filled = fill_in(config) if fill_in else config
    return filled if filled.source.name == config.source.name else with_defaults(filled)
