"""Does every target agree with its image in size, and with the annotations to the pixel?"""

from pstgen.core.config import VerifyConfig
from pstgen.dataset.store import Dataset
from pstgen.verification import anew
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

ANEW = True
PROVES = "Every perceptual target follows from the annotations in the set, rendered anew."
SECONDS = 5.0
SHARES = anew.SHARES


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Render each target anew."""
    found = anew.rows(dataset)
    summary = f"{found.rendered:,} targets rendered anew"
    return Finding(check="targets", summary=summary, problems=first_problems(found.targets))
