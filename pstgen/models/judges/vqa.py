"""The classic language prior: answers people gave to VQA v2's questions, learnt from the questions alone."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput, Item, Verdict
from pstgen.questions.benchmarks import vqa_v2
from pstgen.questions.priors import Expectation

ANSWERS = 200  # the most frequent ones are learnt
FLOOR = 1e-5  # of an option that nobody answered


class Reader:
    """Question → answer, by the words that it has in common with VQA v2's."""

    name = "vqa"
    sees = durable = False

    def __init__(self, texts: Sequence[str], answers: Sequence[str]) -> None:
        self.texts, self.answers = texts, answers
        self.revision = f"tf-idf and logistic regression on {len(texts)} questions of VQA v2"

    def key(self, item: Item, /) -> str:
        """Not kept: cheap."""
        raise NotImplementedError(self.name)

    def learn(self, examples: Sequence[Item], images: Sequence[str], prior: Expectation, /) -> "Reader":  # noqa: ARG002
        """It has learnt from VQA v2."""
        return self

    @cached_property
    def _fitted(self) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        model = LogisticRegression(C=10.0, max_iter=1000, tol=1e-2)
        return words, model.fit(words.fit_transform(self.texts), self.answers)

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """Log-probability of every option, renormalised over them."""
        words, model = self._fitted
        at = {answer: n for n, answer in enumerate(model.classes_)}
        probabilities = model.predict_proba(words.transform([item.question for item in items]))
        for item, line in zip(items, probabilities, strict=True):
            shares = np.array([line[at[option]] if option in at else 0.0 for option in item.options]) + FLOOR
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=tuple(np.log(shares / shares.sum()).tolist()))


def open(config: BuildConfig, /) -> Sequence[Reader]:  # noqa: A001
    """Read the official files in `config.judges.prior_vqa`. Raises BadInput where there are none, or they do not fit."""
    if not config.judges.prior_vqa:
        raise BadInput("the judge vqa needs --prior-vqa: the folder of VQA v2's questions and annotations")
    rows = [(row.question, answer) for row, answer in vqa_v2.rows(config.judges.prior_vqa)]
    common = {answer for answer, _ in Counter(answer for _, answer in rows).most_common(ANSWERS)}
    kept = [(text, answer) for text, answer in rows if answer in common]
    return [Reader([text for text, _ in kept], [answer for _, answer in kept])]
