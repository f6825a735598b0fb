"""The commonest words of question and options, and the place of each option; gradient-boosted trees."""

from collections.abc import Sequence

import numpy as np

from pstgen.cases import Case

WORDS = 200  # that are counted


def attack(learnt: Sequence[Case], asked: Sequence[Case], seed: int, /) -> list[tuple[float, ...]]:
    """One row an option: is it the right one, given the words and what it says?"""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.feature_extraction.text import CountVectorizer

    counts = CountVectorizer(max_features=WORDS, binary=True, token_pattern=r"(?u)\b\w+\b")  # noqa: S106 (a regular expression)
    counts.fit([f"{case.question} {' '.join(case.options)}" for case in learnt])
    kinds = {option: n for n, option in enumerate(sorted({option for case in learnt for option in case.options}))}

    def rows(cases: Sequence[Case]) -> np.ndarray:
        words = counts.transform([case.question for case in cases]).toarray()
        return np.concatenate(
            [
                np.column_stack(
                    [
                        np.repeat(line[None], len(case.options), axis=0),
                        [kinds.get(option, -1) for option in case.options],
                        range(len(case.options)),
                        [len(case.options)] * len(case.options),
                    ]
                )
                for case, line in zip(cases, words, strict=True)
            ]
        ).astype(np.float32)

    right = [n == case.answer for case in learnt for n in range(len(case.options))]
    model = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=15, random_state=seed).fit(rows(learnt), right)
    told = iter(model.predict_proba(rows(asked))[:, 1].tolist())
    return [tuple(next(told) for _ in case.options) for case in asked]
