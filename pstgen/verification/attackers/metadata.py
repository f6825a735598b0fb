"""No words at all: letters, lengths, the order of options, the place of the question in the set."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.verification.attackers import Means
from pstgen.verification.samples import Case

MOST = 8  # options that are told apart


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:
    """Learn which *place* is right; a forest finds what lengths and orders have to do with it."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=means.seed, n_jobs=1)
    model.fit(table(learnt), [case.answer for case in learnt])
    told = model.predict_proba(table(asked))
    at = {int(place): n for n, place in enumerate(model.classes_)}
    return [
        tuple(float(line[at[n]]) if n in at else 0.0 for n in range(len(case.options)))
        for case, line in zip(asked, told, strict=True)
    ]


def table(cases: Sequence[Case]) -> NDArray[np.float64]:
    """(cases, features): how each looks, and where its pair begins: twins are not told apart, `order` tries that."""
    begins: dict[str, int] = {}
    for case in cases:
        begins.setdefault(case.pair, case.place)
    return np.stack([[*look(case), begins[case.pair], begins[case.pair] % 2] for case in cases])


def look(case: Case) -> list[int]:
    """Options, length of the question, its spaces and commas, length of each option, alphabetical rank of each."""
    ranks = {option: rank for rank, option in enumerate(sorted(case.options))}
    lengths = [len(option) for option in case.options[:MOST]]
    order = [ranks[option] for option in case.options[:MOST]]
    rest = MOST - len(lengths)
    marks = [len(case.question), case.question.count(" "), case.question.count(",")]
    return [len(case.options), *marks, *lengths, *[0] * rest, *order, *[-1] * rest]
