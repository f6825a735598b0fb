"""One and two words of question and options, weighted by tf-idf; logistic regression."""

from collections.abc import Sequence

from pstgen.models.judges.text import restricted
from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:
    """Predict which answer the words have, whatever its letter."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True, max_features=20_000)  # noqa: S106 (a regular expression)
    answers = [sample.correct_option for sample in train]
    if len(set(answers)) < 2:
        return [tuple(float(option in answers) for option in sample.options) for sample in test]
    features = words.fit_transform([sample.words for sample in train])
    model = LogisticRegression(C=10.0, max_iter=300, tol=1e-3, random_state=resources.seed).fit(features, answers)
    logprobs = model.predict_log_proba(words.transform([sample.words for sample in test]))
    classes = model.classes_.tolist()
    return [
        restricted(sample.options, dict(zip(classes, row, strict=True)))
        for sample, row in zip(test, logprobs, strict=True)
    ]
