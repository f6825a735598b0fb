"""Examples for judges that learn: items drawn from what was counted of scenes that give no items."""

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pstgen.core.config import BuildConfig
from pstgen.core.records import Fact, Item, Truth
from pstgen.questions import families, wording
from pstgen.questions.families import Question
from pstgen.questions.priors import Expectation, Tally, is_asked
from pstgen.scenes import vocabulary

EXAMPLES = 2000  # a family, at most
CHOICES = 1000  # of the questions whose options are things, of each form
CHOSEN = {("existence", "which"): ("existence", "given"), ("pointing", "what"): ("existence", "given")}
OPTIONS = 4

Row = tuple[Question, str, int]  # a question, an answer to it, and how often it was given


def examples(tally: Tally, prior: Expectation, config: BuildConfig) -> list[Item]:
    """Of each family as many as EXAMPLES known facts, drawn by the seed without replacement, each worded as an item."""
    by_family: defaultdict[str, list[Row]] = defaultdict(list)
    for (question, answer), n in sorted(tally.items()):
        if is_asked(question) and n:
            by_family[question[0]].append((question, answer, n))
    templates = config.questions.templates
    drawn = [
        _example(_fact(question, answer, n), families.load(family).answers(*question[1:]), prior, templates)
        for family in sorted(by_family)
        for n, (question, answer) in enumerate(_drawn(by_family[family], EXAMPLES, _generator(family, config)))
    ]
    return drawn + [
        _example(_fact((*form, about), answer, n), options, prior, templates)
        for form, counted in CHOSEN.items()
        if form[0] in by_family
        for n, (about, answer, options) in enumerate(
            _choices(by_family[counted[0]], counted, _generator(form[1], config))
        )
    ]


def without(items: Sequence[Item], tally: Tally, facts: Sequence[Item]) -> tuple[list[Item], Tally]:
    """The examples, and what was counted, less these facts."""
    left_out, rest = set(facts), tally.copy()
    rest.subtract(((item.family, item.form, item.about), item.answer) for item in facts)
    return [item for item in items if item not in left_out], +rest


def _generator(name: str, config: BuildConfig) -> np.random.Generator:
    return np.random.default_rng((abs(config.seed), zlib.crc32(name.encode())))


def _drawn(rows: list[Row], most: int, rng: np.random.Generator) -> list[tuple[Question, str]]:
    """The drawn facts, in an order that says nothing."""
    counts = np.array([n for *_, n in rows], dtype=np.int64)
    most = min(most, int(counts.sum()))
    times = counts if most == counts.sum() else rng.multivariate_hypergeometric(counts, most, method="marginals")
    places = rng.permutation(np.repeat(np.arange(len(rows)), times))
    return [rows[place][:2] for place in places]


def _choices(
    rows: Sequence[Row], counted: tuple[str, str], rng: np.random.Generator
) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """(context, the thing that is there, the options): it is drawn by how often it is there, the others by how often not."""
    there, missing = ([row for row in rows if row[0][:2] == counted and row[1] == answer] for answer in ("yes", "no"))
    absent: defaultdict[str, list[Row]] = defaultdict(list)
    for row in missing:
        absent[row[0][2][1]].append(row)
    for (_, _, (kind, context)), _ in _drawn(there, CHOICES, rng) if there else ():
        others = [row for row in absent[context] if row[0][2][0] != kind]
        if len(others) >= OPTIONS - 1:
            weights = np.array([n for *_, n in others], dtype=np.float64)
            places = rng.choice(len(others), OPTIONS - 1, replace=False, p=weights / weights.sum())
            kinds = sorted((kind, *(others[place][0][2][0] for place in places.tolist())))
            yield (context,), vocabulary.spoken(kind), tuple(map(vocabulary.spoken, kinds))


def _fact(question: Question, answer: str, n: int) -> Fact:
    family, form, about = question
    return Fact(scene_id=f"example/{n}", family=family, form=form, about=about, truth=Truth(answer))


def _example(fact: Fact, options: tuple[str, ...], prior: Expectation, templates: Path | None) -> Item:
    """Worded with the lure that the words suggest most."""
    added = prior.associate(fact.question, options)
    lure = options[max(range(len(options)), key=lambda n: added[n].value)]
    return wording.example(fact, options, lure, templates)
