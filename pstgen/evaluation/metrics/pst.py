"""The Perception Stress Test: who sees, and who is lured by the words."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from pstgen.core.records import BadInput, Item
from pstgen.evaluation.metrics import Evaluation, Headline, Scores
from pstgen.models.parsing import parse

HEADLINES = (
    Headline("pair", "PST pairs", place=30, compared="pair"),
    Headline("item", "PST items", place=31),
    Headline("stress", "PST stress", place=32),
    Headline("lure_rate", "PST lure rate", higher_is_better=False, in_table=False, place=42),
)


def measure(evaluation: Evaluation, /) -> Scores:
    """The figures of `score`, for the whole stress test."""
    return score(evaluation.items, evaluation.answers.pst, evaluation.answers.neutral)


def score(items: Sequence[Item], answers: Mapping[str, str], neutral: Mapping[str, str] | None = None) -> Scores:
    """Answers by item id; `neutral`: to the same items' neutral questions. Every figure is in percent.

    item, stress, control: of the items, those that are answered right. pair: of the pairs, those all of whose twins are:
    the headline, which nobody gets who does not look. The same by family (item/<family>, pair/<family>) and by frame
    (pair/<frame>). lure_rate: of the stress items, those answered with the lure. invalid_rate: of the items, those
    answered with none of their options, or with several. flip_rate: of the items in a frame, those whose neutral question is answered
    differently. Answers are read as chat models write them ("Yes, it is.", "The answer is B"): see `models.parsing`.

    per_question: 1 for an item answered right, else 0. Answers to other items are left alone. Raises BadInput where an
    item has no answer.
    """
    if not items:
        raise BadInput("the stress test has no items to be measured")
    given = _by_item(items, answers, "answer")
    right = {item.item_id: float(given[item.item_id] == item.answer) for item in items}
    stress = [item for item in items if item.role == "stress"]
    groups = defaultdict[str, list[float]](list)
    for name, won in (*_by_items(items, right), *_by_pairs(items, right)):
        groups[name].append(won)
    groups["lure_rate"] = [float(given[item.item_id] == item.lure) for item in stress]
    groups["invalid_rate"] = [float(not given[item.item_id]) for item in items]
    framed = [item for item in items if item.question != item.neutral]
    if neutral is not None:
        to_neutral = _by_item(items, neutral, "answer to its plain question")
        groups["flip_rate"] = [float(given[item.item_id] != to_neutral[item.item_id]) for item in framed]
    missing = {
        "flip_rate": "no item is framed" if neutral is not None else "the plain questions were not asked",
        "stress": "there is no stress item",
        "lure_rate": "there is no stress item",
        "control": "there is no control item",
    }
    return Scores(
        figures={name: 100 * fmean(scores) for name, scores in groups.items() if scores},
        per_question=right,
        absent={name: why for name, why in missing.items() if not groups.get(name)},
    )


def _by_item(items: Sequence[Item], answers: Mapping[str, str], kind: str) -> dict[str, str]:
    if missing := [item.item_id for item in items if item.item_id not in answers]:
        raise BadInput(
            f"item {missing[0]} has no {kind} ({len(missing):,} of {len(items):,} have none); answer every item"
        )
    return {item.item_id: _option(answers[item.item_id], item.options) for item in items}


def _option(answer: str, options: Sequence[str]) -> str:
    """The option that an answer names, "" where it names none or several."""
    choice = parse(answer, options)
    return "" if choice is None else options[choice]


def _by_items(items: Sequence[Item], right: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for item in items:
        for name in ("item", item.role, f"item/{item.family}"):
            yield name, right[item.item_id]


def _by_pairs(items: Sequence[Item], right: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    twins = defaultdict[str, list[Item]](list)
    for item in items:
        twins[item.pair_id].append(item)
    for pair in twins.values():
        for name in ("pair", f"pair/{pair[0].family}", f"pair/{pair[0].frame}"):
            yield name, min(right[item.item_id] for item in pair)
