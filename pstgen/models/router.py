"""A router: which of several models a question is for, by its words alone."""

from collections.abc import Sequence


class Router:
    """Tf-idf of one and two words, and logistic regression. With one name alone, everything is for that one.

    questions, names: examples of questions, and the name of the model that each is for.
    """

    def __init__(self, questions: Sequence[str], names: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        self.only = names[0] if len(set(names)) == 1 else ""
        self.pipeline = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=100.0, max_iter=1000)
        )
        if not self.only:
            self.pipeline.fit(questions, names)

    def __call__(self, questions: Sequence[str]) -> list[str]:
        """The name of the model that each question is for."""
        if self.only or not questions:
            return [self.only] * len(questions)
        return [str(name) for name in self.pipeline.predict(questions)]
