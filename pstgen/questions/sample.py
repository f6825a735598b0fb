"""Examples for judges that learn: items drawn from what was counted of scenes that give no items."""

import zlib
from collections import defaultdict

import numpy as np

from pstgen.core.config import BuildConfig
from pstgen.core.records import Fact, Item, Truth
from pstgen.questions import families, priors, wording
from pstgen.questions.priors import Expectation, Question, Tally

EXAMPLES = 4000  # a family, at most


def examples(tally: Tally, config: BuildConfig) -> list[Item]:
    """Of each family as many as EXAMPLES known facts, drawn by the seed without replacement, each worded as an item."""
    prior = priors.load(config.questions.prior).fit(tally)
    by_family: defaultdict[str, list[tuple[Question, str, int]]] = defaultdict(list)
    for (question, answer), n in sorted(tally.items()):
        by_family[question[0]].append((question, answer, n))
    return [
        _example(question, answer, n, prior, config)
        for family in sorted(by_family)
        for n, (question, answer) in enumerate(_drawn(by_family[family], family, config.seed))
    ]


def _drawn(rows: list[tuple[Question, str, int]], family: str, seed: int) -> list[tuple[Question, str]]:
    """The drawn facts, in an order that says nothing."""
    counts = np.array([n for *_, n in rows], dtype=np.int64)
    rng = np.random.default_rng((abs(seed), zlib.crc32(family.encode())))
    most = min(EXAMPLES, int(counts.sum()))
    times = counts if most == counts.sum() else rng.multivariate_hypergeometric(counts, most, method="marginals")
    places = rng.permutation(np.repeat(np.arange(len(rows)), times))
    return [rows[place][:2] for place in places]


def _example(question: Question, answer: str, n: int, prior: Expectation, config: BuildConfig) -> Item:
    family, form, about = question
    answers = families.load(family).answers(form, about)
    expected = prior.expect(question, answers)
    lure = answers[max(range(len(answers)), key=expected.__getitem__)]
    fact = Fact(scene_id=f"example/{n}", family=family, form=form, about=about, truth=Truth(answer))
    return wording.example(fact, answers, lure, config.questions.templates)
