"""Are question, neutral question and what is written into the picture what the templates make of the facts?"""

from collections.abc import Iterator
from functools import cache

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput, Fact, Item, Truth
from pstgen.dataset.store import Dataset
from pstgen.questions import wording
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding, untested

PROVES = "Every question is, word by word, one that the templates make of its facts."
ANEW = True


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Word each fact anew in its frame, in every wording that the frame has."""
    if own := dataset.manifest.settings.get("questions", {}).get("templates"):
        return untested("words", f"the templates are the user's own ({own})")
    problems = first_problems(problem for item in dataset.items() for problem in _problems(item))
    return Finding(check="words", summary=f"{dataset.manifest.items:,} questions worded anew", problems=problems)


def _problems(item: Item) -> Iterator[str]:
    try:
        made, label = _made(item.family, item.form, item.about, item.frame, item.lure)
    except (BadInput, KeyError, ValueError) as error:
        yield f"item {item.item_id}: no template words it: {error}"
        return
    if (item.question, item.neutral) not in made:
        which = "question" if all(question != item.question for question, _ in made) else "neutral question"
        yield f"item {item.item_id}: its {which} is none that the frame {item.frame!r} makes of {item.form} {item.about}"
    if item.label != label:
        yield f"item {item.item_id}: {item.label!r} is written into it; it follows that it is {label!r}"


@cache
def _made(
    family: str, form: str, about: tuple[str, ...], frame: str, lure: str
) -> tuple[frozenset[tuple[str, str]], str]:
    """Questions with their neutral ones, and what is written into the picture."""
    fact = Fact(scene_id="", family=family, form=form, about=about, truth=Truth(lure))
    label = wording.claim(fact, lure) if frame == wording.LABEL else ""
    return frozenset(wording.wordings(fact, frame, lure)), label
