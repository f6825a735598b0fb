"""One file, one format of other people's benchmarks. A reader *reads* their words."""

from pathlib import Path
from typing import Protocol

from pstgen.verification.samples import Case


class Reader(Protocol):
    """What a module in this folder defines."""

    def read(self, path: Path, /) -> list[Case]:
        """Every question with its options and answer; no image is opened. Raises BadInput naming file and record."""
        ...
