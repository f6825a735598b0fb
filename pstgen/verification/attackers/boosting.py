"""The commonest one and two words of question and options, and the options' order; gradient-boosted trees."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.verification.attackers import Means
from pstgen.verification.samples import Case

WORDS = 300  # one or two, that are counted
MOST = 8  # options whose places are told


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:
    """Which option is right, the first of the alphabet, the second, …? Named so, it is a matter of words, not of letters.

    Were every option a row of its own, right or not, words would count only together with it, and in pairs, where each
    answer is right once, a tree would see nothing to begin with.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(max_features=WORDS, binary=True, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b")  # noqa: S106 (a regular expression)
    words.fit([text(case) for case in learnt])
    answers = [ranks(case)[case.answer] for case in learnt]
    if len(set(answers)) < 2:
        return [tuple(float(rank == answers[0]) for rank in ranks(case)) for case in asked]

    def table(cases: Sequence[Case]) -> NDArray[np.float32]:
        orders = [(ranks(case) + [-1] * MOST)[:MOST] for case in cases]
        return np.column_stack([words.transform([text(case) for case in cases]).toarray(), orders]).astype(np.float32)

    model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.2, max_leaf_nodes=15, random_state=means.seed)
    model.fit(table(learnt), answers)
    at = {int(rank): n for n, rank in enumerate(model.classes_)}
    told = model.predict_proba(table(asked))
    return [
        tuple(float(line[at[rank]]) if rank in at else 0.0 for rank in ranks(case))
        for case, line in zip(asked, told, strict=True)
    ]


def text(case: Case) -> str:
    """All that a reader gets."""
    return f"{case.question} {' '.join(sorted(case.options))}"


def ranks(case: Case) -> list[int]:
    """Of each option, as it stands, its place in the alphabet's order."""
    order = sorted(case.options)
    return [order.index(option) for option in case.options]
