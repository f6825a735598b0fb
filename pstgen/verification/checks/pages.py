"""Are the pages about the set (card, Croissant, licences and so on) those that are made of its rows and its manifest?"""

from collections.abc import Iterator

import msgspec

from pstgen.core.config import VerifyConfig
from pstgen.dataset import exporters
from pstgen.dataset.store import Dataset
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

PROVES = "Card, Croissant and the other pages say what the set holds: they were written anew, and are the same."
ANEW = True


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Write them anew and compare every byte."""
    return Finding(
        check="pages",
        summary=f"{', '.join(exporters.PAGES)} written anew",
        problems=first_problems(_differing(dataset)),
    )


def _differing(dataset: Dataset) -> Iterator[str]:
    bare = Dataset(dataset.folder, msgspec.structs.replace(dataset.manifest, files={}, seal=""))
    for exporter in map(exporters.load_page, exporters.PAGES):
        if exporter.FILE not in dataset.manifest.files:
            yield f"{exporter.FILE}: is missing, as in sets that an older pstgen built; build the set again"
        elif exporter.page(bare, dataset.folder) != (dataset.folder / exporter.FILE).read_bytes():
            yield f"{exporter.FILE}: is not the page that rows and manifest give"
