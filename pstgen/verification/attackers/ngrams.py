"""One and two words of question and options, weighted by tf-idf; logistic regression."""

from collections.abc import Sequence

from pstgen.models.judges.text import restricted
from pstgen.verification.attackers import Means
from pstgen.verification.samples import Case


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:
    """Learn which answer the words have, whatever its letter."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True, max_features=20_000)  # noqa: S106 (a regular expression)
    answers = [case.options[case.answer] for case in learnt]
    if len(set(answers)) < 2:
        return [tuple(float(option in answers) for option in case.options) for case in asked]
    features = words.fit_transform([text(case) for case in learnt])
    model = LogisticRegression(C=10.0, max_iter=300, tol=1e-3, random_state=means.seed).fit(features, answers)
    told = model.predict_log_proba(words.transform([text(case) for case in asked]))
    classes = model.classes_.tolist()
    return [
        restricted(case.options, dict(zip(classes, line, strict=True))) for case, line in zip(asked, told, strict=True)
    ]


def text(case: Case) -> str:
    """All that a reader gets."""
    return f"{case.question} {' '.join(sorted(case.options))}"
