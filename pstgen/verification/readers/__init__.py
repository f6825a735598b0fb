"""One file, one format of other people's benchmarks. A reader *reads* their words."""

from pathlib import Path
from typing import Protocol

from pstgen.core import plugins
from pstgen.verification.samples import Sample


class Reader(Protocol):
    """What a module in this folder defines."""

    def read(self, path: Path, /) -> list[Sample]:
        """Every question with its options and answer; no image is opened. Raises BadInput naming file and record."""
        ...


def load(name: str) -> Reader:
    """The reader of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Reader = plugins.load("readers", name)
    return plugin
