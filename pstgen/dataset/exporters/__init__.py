"""One file, one format. An exporter *writes*."""

from pathlib import Path
from typing import Protocol

from pstgen.core import plugins
from pstgen.dataset.store import Dataset


class Exporter(Protocol):
    """What a module in this folder defines."""

    def write(self, dataset: Dataset, folder: Path, /) -> None:
        """Write the dataset, or a page about it, into `folder`, which exists."""
        ...


def load(name: str) -> Exporter:
    """The exporter of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Exporter = plugins.load("exporters", name)
    return plugin
