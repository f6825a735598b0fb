"""Is every answer what the annotations and the pixels say, worked out anew?"""

from pstgen.core.config import VerifyConfig
from pstgen.dataset.store import Dataset
from pstgen.verification import anew
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

ANEW = True
PROVES = "Every answer follows from the annotations in the set, worked out anew."
SECONDS = 20.0
SHARES = anew.SHARES


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Ask each item's family about its scene again."""
    summary = f"{dataset.manifest.items:,} answers recomputed from annotations and pixels"
    return Finding(check="labels", summary=summary, problems=first_problems(anew.rows(dataset).labels))
