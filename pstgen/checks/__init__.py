"""One file, one check of a finished dataset. A check *examines*."""

from typing import Protocol

from pstgen.config import VerifyConfig
from pstgen.records import Finding
from pstgen.store import Dataset


class Check(Protocol):
    """What a module in this folder defines."""

    def examine(self, dataset: Dataset, config: VerifyConfig, /) -> Finding:
        """Say in one line what was found, and in one line each what is wrong."""
        ...
