"""What no check can work out from a set alone, and so is taken on trust, unless it is built again."""

from collections.abc import Iterator, Sequence

from pstgen.dataset.store import Dataset
from pstgen.verification.findings import Finding

AGAIN = "rebuild"  # the check that leaves nothing to trust
CELLS = frozenset(
    {"lure", "difficulty", "pull_counts", "pull_lm", "pull_vlm"}
)  # the prior's, whose scenes are not in the set
SCORES = frozenset({"logprobs", "calibrated", "judge"})
MANIFEST = frozenset(
    {"pstgen", "libraries", "judges", "models", "funnel", "unknown", "unmade", "refused", "dropped", "notes"}
)


def taken_on_trust(dataset: Dataset, findings: Sequence[Finding]) -> Iterator[str]:
    """Sentences, each of what is not worked out anew."""
    states = {finding.check: finding for finding in findings}
    if AGAIN in states:
        return
    yield "What one expects: lures, difficulties and pulls rest on counts of scenes that are not in the set."
    yield "What judges answered, and which they are: the scores, names and revisions of models, what they reach on ordinary questions, wordings that were tried and not kept."
    yield "What did not come into the set, and why: counts before the selection, refused records, notes."
    yield "Settings that leave no trace in the set, and the versions of libraries."
    edited = sum("+" in item.scene_id for item in dataset.items())
    if edited:
        yield f"That edited pictures, {edited:,} of {dataset.manifest.items:,}, were made by the edit that they are named after."
    if any(cells["target_depth"] for cells in dataset.cells()):
        yield "Depth, where it is estimated or a picture was edited: that it is the picture's."
    source = states.get("source")
    if source is None or source.untested:
        yield f"That pictures and annotations are the source's: {source.untested if source else 'not asked'}."
    if dataset.manifest.settings.get("source", {}).get("blur_faces") and (edited or source is None or source.untested):
        yield "That faces are blurred, in pictures that are edited or not compared with the source."
    words = states.get("words")
    if words and words.untested:
        yield f"The words of the questions: {words.untested}."
