"""Would the same pairs be selected again, and do their options stand in the order that their turn gives them?"""

from collections import Counter
from collections.abc import Iterator

from pstgen.core.config import BuildConfig, VerifyConfig
from pstgen.core.records import Pair
from pstgen.dataset.store import Dataset
from pstgen.pairs import selection, shares
from pstgen.verification import rebuild
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

ANEW = True


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """By the settings of the manifest."""
    pairs = list(dataset.pairs())
    problems = first_problems(_selected(pairs, rebuild.own_settings(dataset.manifest)))
    return Finding(check="selection", summary=f"{len(pairs):,} pairs selected and lettered again", problems=problems)


def _selected(pairs: list[Pair], settings: BuildConfig) -> Iterator[str]:
    """What was selected stays when it is selected again, and every answer has the letter that its turn gives it."""
    lost: Counter[tuple[str, str]] = Counter()
    shares.select(pairs, settings.selection, lost)
    yield from (
        f"{n} pairs of {family} would not be selected: {reason}" for (family, reason), n in sorted(lost.items())
    )
    ordered = sorted(pairs, key=lambda pair: pair.pair_id)
    for pair, places in zip(ordered, selection.places_in_turn(ordered), strict=True):
        lure = pair.options.index(pair.lure)
        answers = {item.answer_index for item in pair.stress}
        if lure != places[0] or places[1] not in answers:
            yield f"pair {pair.pair_id}: its options do not stand in the order that its turn gives them"
