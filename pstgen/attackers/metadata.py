"""No words at all: letters, lengths, the order of options."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.cases import Case

MOST = 8  # options that are told apart


def attack(learnt: Sequence[Case], asked: Sequence[Case], seed: int, /) -> list[tuple[float, ...]]:
    """Learn which *place* is right; a forest finds what lengths and orders have to do with it."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=seed, n_jobs=1)
    model.fit(np.stack([look(case) for case in learnt]), [case.answer for case in learnt])
    told = model.predict_proba(np.stack([look(case) for case in asked]))
    at = {int(place): n for n, place in enumerate(model.classes_)}
    return [
        tuple(float(line[at[n]]) if n in at else 0.0 for n in range(len(case.options)))
        for case, line in zip(asked, told, strict=True)
    ]


def look(case: Case) -> NDArray[np.float64]:
    """(N,) numbers: options, length of the question, of each option, alphabetical rank of each."""
    ranks = {option: rank for rank, option in enumerate(sorted(case.options))}
    lengths = [len(option) for option in case.options[:MOST]]
    padded = [*lengths, *[0] * (MOST - len(lengths))]
    order = [ranks[option] for option in case.options[:MOST]]
    ordered = [*order, *[-1] * (MOST - len(order))]
    return np.array(
        [
            len(case.options),
            len(case.question),
            case.question.count(" "),
            case.question.count(","),
            *padded,
            *ordered,
        ]
    )
