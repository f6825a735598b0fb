"""Each option by its own words, alone and beside the question's: one logistic regression over the options of all questions."""

import re
from collections.abc import Iterator, Sequence

from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

MAX_FEATURES = 50_000
WORD = re.compile(r"\w+")


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:
    """Predict of an option whether it is right, whatever question offers it.

    Words of the question count only together with one of the option: alone they are the same for all of its options.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = [(sample, option) for sample in train for option in sample.options]
    right = [option == sample.correct_option for sample, option in rows]
    if len(set(right)) < 2:
        return [tuple(1.0 for _ in sample.options) for sample in test]
    words = CountVectorizer(analyzer=_features, binary=True, max_features=MAX_FEATURES)
    model = LogisticRegression(C=1.0, max_iter=300, tol=1e-3, random_state=resources.seed)
    model.fit(words.fit_transform(rows), right)
    asked = [(sample, option) for sample in test for option in sample.options]
    scores = iter(model.decision_function(words.transform(asked)).tolist())
    return [tuple(next(scores) for _ in sample.options) for sample in test]


def _features(row: tuple[Sample, str]) -> Iterator[str]:
    """The words of the option, and each of the question's beside each of them."""
    sample, option = row
    asked = sorted(set(WORD.findall(sample.question.lower())))
    for word in dict.fromkeys(WORD.findall(option.lower())):
        yield word
        yield from (f"{word} {other}" for other in asked)
