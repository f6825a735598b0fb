"""Each option by its own words, alone and beside the question's, and by how it is written: one logistic regression over all options."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

MAX_FEATURES = 50_000
WORD = re.compile(r"\w+")
MARK = re.compile(r"[^\w\s]|\s{2,}")  # and spaces that stand together


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
    """The words of the option, alone and as they follow each other, each of the question's beside each of them, and how it begins and ends."""
    sample, option = row
    yield f"ends in {_kind(option[-1:])}"
    yield f"begins with {_kind(option[:1])}"
    yield from (f"has {mark!r}" for mark in set(MARK.findall(option)))
    asked = sorted(set(WORD.findall(sample.question.lower())))
    words = WORD.findall(option.lower())
    yield from (f"{first}, {second}" for first, second in pairwise(words))
    for word in dict.fromkeys(words):
        yield word
        yield from (f"{word} {other}" for other in asked)


def _kind(letter: str) -> str:
    """Of a letter its case; anything else stands for itself."""
    return ("a capital" if letter.isupper() else "a letter") if letter.isalpha() else repr(letter)
