"""Is every pair a pair: one text, as many answers as images, one of them the lure; and are the letters even?"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Item
from pstgen.dataset.chance import coin
from pstgen.dataset.store import Dataset
from pstgen.questions.wording import NEUTRAL
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

ANEW = True
PROVES = "No function of the text alone can win a pair: twins share every byte of question and options."
ALPHA = 0.001  # a chance distribution of letters is called uneven this seldom


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Group the items by pair and look at each group; count frames, and what a coin would win."""
    items = list(dataset.items())
    pairs: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        pairs[item.pair_id].append(item)
    unlike = (problem for name, twins in sorted(pairs.items()) for problem in _pair(name, twins))
    problems = first_problems((*unlike, *_repeated(items), *_letters(items)))
    by_chance = coin([(len(item.options), item.answer) for item in twins] for twins in pairs.values())
    neutral = sum(twins[0].frame == NEUTRAL for twins in pairs.values())
    figures = {
        "items": len(items),
        "pairs": len(pairs),
        "pairs/neutral": neutral,
        "pairs/framed": len(pairs) - neutral,
        "coin/answers": by_chance.answers,
        "coin/options": by_chance.options,
    }
    return Finding(
        check="pairs",
        summary=f"{len(pairs):,} pairs ({neutral:,} in neutral words, {len(pairs) - neutral:,} framed), {len(items):,} items; "
        f"{by_chance}; words alone win none",
        problems=problems,
        figures={name: float(figure) for name, figure in figures.items()},
    )


def _pair(name: str, twins: Sequence[Item]) -> Iterator[str]:
    """A pair has one control twin and one stress twin; a group has a stress twin for every other option."""
    control = next((item for item in twins if item.role == "control"), None)
    stress = [item for item in twins if item.role == "stress"]
    if control is None or len(twins) - len(stress) > 1 or len(stress) not in {1, len(control.options) - 1}:
        yield f"pair {name}: has {' and '.join(sorted(i.role for i in twins))}; one control, one stress twin or one an option"
        return
    for field in ("question", "neutral", "options", "lure", "family", "form", "about", "frame", "label", "twin"):
        if any(getattr(item, field) != getattr(control, field) for item in stress):
            yield f"pair {name}: the twins' {field} differ"
    for item in twins:
        if (
            item.answer not in item.options
            or item.lure not in item.options
            or len(set(item.options)) < len(item.options)
        ):
            yield f"item {item.item_id}: options {item.options} do not hold answer and lure once each"
    if control.answer != control.lure:
        yield f"item {control.item_id}: the lure is {control.lure!r}, the control twin's answer {control.answer!r}"
    if len({item.answer for item in twins}) < len(twins):
        yield f"pair {name}: two twins have one answer"


def _repeated(items: Sequence[Item]) -> Iterator[str]:
    counted: dict[str, Counter[Any]] = {
        "item_id": Counter(item.item_id for item in items),
        "scene and question": Counter((item.scene_id, item.mark, item.question) for item in items),
        "scene and fact": Counter((item.scene_id, item.mark, item.family, item.form, item.about) for item in items),
    }
    for what, keys in counted.items():
        yield from (f"{what} {key}: occurs {n} times" for key, n in keys.items() if n > 1)


def _letters(items: Sequence[Item]) -> Iterator[str]:
    """Do answers and lures stand on each letter equally often, as far as chance allows?"""
    from scipy.stats import chisquare

    by_size: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        by_size[len(item.options)].append(item)
    for size, of_size in sorted(by_size.items()):
        for what in ("answer", "lure"):
            letters = Counter(
                item.options.index(option) for item in of_size if (option := getattr(item, what)) in item.options
            )
            counts = [letters[n] for n in range(size)]
            # Twins share the lure's place, so there are half as many independent draws as items.
            if chisquare([n / 2 for n in counts]).pvalue < ALPHA:
                yield f"letters: of {size} options the {what} stands {counts} times on each"
