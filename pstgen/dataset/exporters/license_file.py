"""LICENSE.md: what the pictures and the words of a set are under, and what each of these licences allows."""

from pathlib import Path

from pstgen.core import pages
from pstgen.dataset import contents
from pstgen.dataset.store import Dataset

FILE = "LICENSE.md"


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write LICENSE.md."""
    (folder / FILE).write_bytes(page(dataset, folder))


def page(dataset: Dataset, folder: Path, /) -> bytes:  # noqa: ARG001 (as every page)
    """What is written into that folder."""
    held = contents.of(dataset)
    return pages.render(
        "dataset/exporters/license_file.md.jinja", held=held, origin=dataset.manifest.origin.get("licence", "")
    ).encode()
