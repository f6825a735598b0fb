"""The Perception Stress Test: who sees, and who is lured by the words."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import fmean

from pstgen.core.records import BadInput, Item
from pstgen.dataset.chance import coin
from pstgen.evaluation.metrics import Evaluation, Headline, Scores
from pstgen.models.parsing import parse
from pstgen.questions.wording import NEUTRAL

HEADLINES = (
    Headline("neutral/pairs", "PST pairs, neutral words", in_table=False, place=28),
    Headline("framed/pairs", "PST pairs, misleading words", in_table=False, place=29),
    Headline("pair", "PST pairs", place=30, compared="pair"),
    Headline("item", "PST items", place=31),
    Headline("stress", "PST stress", place=32),
    Headline("lure_rate", "PST lure rate", higher_is_better=False, in_table=False, place=42),
)
SCENES = {"control": "typical", "stress": "atypical"}  # is the scene as the words make one expect?
CLASSES = ("neutral", "framed")  # of wordings
BY_CLASS = ("pairs", "stress", "lure_rate")  # figures that are given for each of the two


def measure(evaluation: Evaluation, /) -> Scores:
    """The figures of `score`, for the whole stress test."""
    return score(evaluation.items, evaluation.answers.pst, evaluation.answers.neutral)


def score(items: Sequence[Item], answers: Mapping[str, str], neutral: Mapping[str, str] | None = None) -> Scores:
    """Answers by item id; `neutral`: to the same items' neutral questions. Every figure is in percent.

    neutral/pairs: of the pairs in neutral words, where the expectation is the reader's own, those all of whose twins are
    answered right; framed/pairs: the same of all others, where a claim suggests the lure. Beside them neutral/stress,
    framed/stress, neutral/lure_rate and framed/lure_rate.

    item, stress, control: of the items, those that are answered right. pair: of the pairs, those all of whose twins are:
    the headline, which nobody gets who does not look. The same by family (item/<family>, pair/<family>) and by frame
    (pair/<frame>). lure_rate: of the stress items, those answered with the lure. invalid_rate: of the items, those
    answered with none of their options, or with several. flip_rate: of the items in a frame, those whose neutral question
    is answered differently.

    Two by two: typical/misleading and atypical/misleading are the share of items in misleading words that is answered
    right, where the scene is as one expects (control) and where it is not (stress); typical/neutral and atypical/neutral
    the share of the same items that is right when they are asked by their neutral question.

    coin/pair, chance/pair: nobody's answers, but the share of pairs that is won by a coin thrown for each picture between
    the answers that the twins have, and by drawing from all the options. Words alone win none.

    Answers are read as chat models write them ("Yes, it is.", "The answer is B"): see `models.parsing`. per_question: 1 for
    an item answered right, else 0. Answers to other items are left alone. Raises BadInput where an item has no answer.
    """
    if not items:
        raise BadInput("the stress test has no items to be measured")
    given = _by_item(items, answers, "answer")
    right = {item.item_id: float(given[item.item_id] == item.answer) for item in items}
    groups = defaultdict[str, list[float]](list)
    for name, won in (*_by_items(items, right), *_by_pairs(items, right), *_lured(items, given)):
        groups[name].append(won)
    groups["invalid_rate"] = [float(not given[item.item_id]) for item in items]
    reworded = [item for item in items if item.question != item.neutral]
    for item in reworded:
        groups[f"{SCENES[item.role]}/misleading"].append(right[item.item_id])
    if neutral is not None:
        to_neutral = _by_item(items, neutral, "answer to its plain question")
        for item in reworded:
            groups["flip_rate"].append(float(given[item.item_id] != to_neutral[item.item_id]))
            groups[f"{SCENES[item.role]}/neutral"].append(float(to_neutral[item.item_id] == item.answer))
    return Scores(
        figures={name: 100 * fmean(scores) for name, scores in groups.items()} | _by_chance(items),
        per_question=right,
        absent={name: why for name, why in _missing(asked_plainly=neutral is not None).items() if name not in groups},
    )


def _missing(*, asked_plainly: bool) -> dict[str, str]:
    """Figures that a stress test may not have, and why."""
    plain = "no item is framed" if asked_plainly else "the plain questions were not asked"
    reasons = {"stress": "there is no stress item", "control": "there is no control item"}
    reasons |= {"lure_rate": reasons["stress"], "flip_rate": plain}
    reasons |= {f"{scene}/misleading": "no item is framed" for scene in SCENES.values()}
    reasons |= {f"{scene}/neutral": plain for scene in SCENES.values()}
    return reasons | {f"{words}/{name}": f"no pair is {words}" for words in CLASSES for name in BY_CLASS}


def _by_chance(items: Sequence[Item]) -> dict[str, float]:
    by_pair = groupby(sorted(items, key=lambda item: item.pair_id), key=lambda item: item.pair_id)
    thrown = coin([(len(item.options), item.answer) for item in twins] for _, twins in by_pair)
    return {"coin/pair": 100 * thrown.answers, "chance/pair": 100 * thrown.options}


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


def _class(item: Item) -> str:
    """Is it in neutral words, or framed?"""
    return "neutral" if item.frame == NEUTRAL else "framed"


def _by_items(items: Sequence[Item], right: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for item in items:
        of_class = (f"{_class(item)}/stress",) * (item.role == "stress")
        for name in ("item", item.role, f"item/{item.family}", *of_class):
            yield name, right[item.item_id]


def _lured(items: Sequence[Item], given: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for item in items:
        if item.role == "stress":
            for name in ("lure_rate", f"{_class(item)}/lure_rate"):
                yield name, float(given[item.item_id] == item.lure)


def _by_pairs(items: Sequence[Item], right: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    twins = defaultdict[str, list[Item]](list)
    for item in items:
        twins[item.pair_id].append(item)
    for pair in twins.values():
        for name in ("pair", f"pair/{pair[0].family}", f"pair/{pair[0].frame}", f"{_class(pair[0])}/pairs"):
            yield name, min(right[item.item_id] for item in pair)
