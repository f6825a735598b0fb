"""One file, one format. An exporter *writes*."""

from pathlib import Path
from typing import Protocol

from pstgen.core import plugins
from pstgen.dataset.store import Dataset

PAGES = (  # that every dataset is written with
    "card",
    "croissant",
    "eval_yaml",
    "datasheet",
    "license_file",
)


class Exporter(Protocol):
    """What a module in this folder defines."""

    def write(self, dataset: Dataset, folder: Path, /) -> None:
        """Write the dataset, or a page about it, into `folder`, which exists."""
        ...


class Page(Exporter, Protocol):
    """An exporter of one file that every dataset is written with."""

    FILE: str

    def page(self, dataset: Dataset, folder: Path, /) -> bytes:
        """What it writes into that folder."""
        ...


def load_page(name: str) -> Page:
    """One of PAGES."""
    page: Page = plugins.load("exporters", name)
    return page


def load(name: str) -> Exporter:
    """The exporter of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Exporter = plugins.load("exporters", name)
    return plugin
