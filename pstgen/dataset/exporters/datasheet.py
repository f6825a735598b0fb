"""DATASHEET.md: why a set was made, what it holds, how, for what, and what speaks against using it.

Its headings are the sections of Gebru et al., Datasheets for Datasets (https://arxiv.org/abs/1803.09010).
"""

from pathlib import Path

from pstgen.core import pages
from pstgen.dataset import contents, responsible
from pstgen.dataset.store import Dataset

FILE = "DATASHEET.md"
SECTIONS = (
    "Motivation",
    "Composition",
    "Collection",
    "Preprocessing and labels",
    "Uses",
    "Distribution",
    "Maintenance",
)


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write DATASHEET.md."""
    (folder / FILE).write_bytes(page(dataset, folder))


def page(dataset: Dataset, folder: Path, /) -> bytes:  # noqa: ARG001 (as every page)
    """What is written into that folder. No date: the same set, the same bytes."""
    held, manifest = contents.of(dataset), dataset.manifest
    text = pages.render(
        "dataset/exporters/datasheet.md.jinja",
        held=held,
        faces=responsible.faces(held),
        manifest=manifest,
        refused=len(manifest.refused),
        unknown=sum(sum(reasons.values()) for reasons in manifest.unknown.values()),
        dropped=sum(sum(reasons.values()) for reasons in manifest.dropped.values()),
    )
    return text.encode()
