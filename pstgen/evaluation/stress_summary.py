"""A result in sentences: does the model see, or does it guess?"""

from collections.abc import Iterator

from pstgen.evaluation.grounding import RANDOM, GroundingResult
from pstgen.evaluation.stress_result import CollateralResult, Figure, StressResult

MUCH = 0.5  # share of answers without a place, from which one of them is shown
MORE = 0.1  # of items, that must be right in another unit beside, for it to be worth a line
SHOWN = 60  # characters of it


def lines(found: StressResult) -> Iterator[str]:
    """What was answered, what that says of sight and of guessing, and what is missing."""
    whole = found.whole
    pairs = whole.figures["pairs"]
    yield (
        f"{found.model} wins {shown(pairs)} of {pairs.n:,} pairs; a coin thrown for each picture wins "
        f"{whole.coin:.1%}, words alone none."
    )
    if blind := whole.figures.get("blind/control"):
        stress = whole.figures["blind/stress"]
        yield (
            f"Without the image it is right on {blind.share:.1%} of the control twins, where the answer is the expected one, "
            f"and on {stress.share:.1%} of the stress twins, where it is not."
        )
    if found.selected_by:
        yield "It was a judge of this set: pairs were kept that mislead it without the image, so blind it wins none by selection."
    if flips := whole.figures.get("flip_rate"):
        yield f"Misleading words change {flips.share:.1%} of its answers to the same image ({flips.n:,} items)."
    if (invalid := whole.figures["invalid_rate"]).share:
        yield f"{invalid.share:.1%} of its answers name no option, or several; they count as wrong."
    if found.collateral:
        yield from _collateral(found.collateral)
    yield from _missing(found)


def grounded_lines(found: GroundingResult) -> Iterator[str]:
    """What is known of places, what of it is chance, and what is missing."""
    whole = found.whole
    what = "point lies on what shows" if found.place == "point" else "boxes fit what shows"
    yield f"{found.model} grounds {shown(whole.pairs)} of {whole.pairs.n:,} pairs: every twin's {what} the answer."
    for name, chance in whole.chance.items():
        iou = "" if chance.iou is None else f", at a mean IoU of {chance.iou:.1%}"
        answers = "Random points" if name == RANDOM else f"The {name}, as the answer to all,"
        yield f"{answers} would be right on {chance.pairs:.1%} of pairs and {chance.items:.1%} of items{iou}."
    if whole.iou:
        low, high = 100 * whole.iou.low, 100 * whole.iou.high
        yield f"The mean IoU of its boxes is {whole.iou.mean:.1%} [{low:.1f}, {high:.1f}]; 50% is needed for right."
    yield from _unread(found)
    for reason, n in found.left_out.items():
        yield f"{n:,} of {found.items:,} items were left out: {reason}."
    if found.incomplete:
        yield f"{found.incomplete:,} pairs lack an answer to a twin, and no figure counts them."


def _unread(found: GroundingResult) -> Iterator[str]:
    """What could not be read, or may have been read in the wrong unit."""
    whole = found.whole
    if whole.invalid.share:
        yield f"{whole.invalid.share:.1%} of its answers name no {found.place} that can be read; they count as wrong."
    if whole.invalid.share >= MUCH:
        said = next(answer.text for answer in found.answers.values() if answer.spots is None)
        yield f"It says, for one: {' '.join(said.split())[:SHOWN]!r}. Models that were not trained to name places seldom do."
    if whole.outside.share:
        yield f"{whole.outside.share:.1%} of its answers lie outside the image; they count as wrong."
    unit, right = max(found.other_units.items(), key=lambda each: each[1], default=("", 0.0))
    if right >= max(2 * whole.items.share, whole.items.share + MORE):
        yield (
            f"Read in {unit}, {right:.1%} of its answers would be right, not {whole.items.share:.1%}: if that is the unit it was "
            f"trained on, name it with --coordinates {unit}."
        )


def _collateral(found: CollateralResult) -> Iterator[str]:
    if not found.edited:
        yield "No pair that was asked has edited twins, so there is no question beside an edit (--collateral)."
        return
    if flips := found.figures.get("flip"):
        yield (
            f"Asked what the edit does not touch, it answers twins differently in {shown(flips)} of {flips.n:,} edited pairs, and is "
            f"right on {shown(found.figures['right'])} of these items."
        )
    for reason, n in sorted(found.left_out.items()):
        yield f"{n:,} of {found.edited:,} edited pairs have no such question: {reason}."


def _missing(found: StressResult) -> Iterator[str]:
    if found.answered < found.items:
        yield f"{found.answered:,} of the set's {found.items:,} items were answered."
    if found.incomplete:
        yield f"{found.incomplete:,} pairs lack an answer to a twin, and no figure counts them."


def shown(figure: Figure) -> str:
    """A share with its bounds, in percent."""
    return f"{figure.share:.1%} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]"
