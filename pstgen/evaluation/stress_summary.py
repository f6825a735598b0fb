"""A result in sentences: does the model see, or does it guess?"""

from collections.abc import Iterator

from pstgen.evaluation.stress_result import Figure, StressResult


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
    yield from _missing(found)


def _missing(found: StressResult) -> Iterator[str]:
    if found.answered < found.items:
        yield f"{found.answered:,} of the set's {found.items:,} items were answered."
    if found.incomplete:
        yield f"{found.incomplete:,} pairs lack an answer to a twin, and no figure counts them."


def shown(figure: Figure) -> str:
    """A share with its bounds, in percent."""
    return f"{figure.share:.1%} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]"
