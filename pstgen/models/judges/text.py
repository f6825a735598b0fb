"""A classifier of the words alone: it learns the source's statistics and, cross-fitted, the items themselves."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pstgen.core import workers
from pstgen.core.config import BuildConfig
from pstgen.core.records import Item, Verdict
from pstgen.questions.priors import Expectation

FOLDS = 5
MOST_ROWS = 6000  # that one model is fitted on, evenly taken; wordings of a pair are much alike
MANY = 5000  # items and lessons for which worker processes pay
FEW = 0.1  # of the lessons: so many rows, or fewer, add nothing to them
ENOUGH = 1000  # texts, among which what stands in a single one teaches nothing of the others
FLOOR = 1e-6  # of an option that was never anybody's answer

Lesson = tuple[str, str]  # words, answer


class Text:
    """Words → option. No verdict comes from a model that saw the item's pair."""

    name = "text"
    revision = "tf-idf of one and two words, logistic regression a family, cross-fitted by pair"
    sees = durable = False

    def __init__(self, seed: int, processes: int, lessons: Sequence[Item] = ()) -> None:
        self.seed, self.processes, self.lessons = seed, processes, lessons

    def key(self, item: Item, /) -> str:
        """Not kept: cheap, and it depends on the lessons."""
        raise NotImplementedError(self.name)

    def learn(self, examples: Sequence[Item], images: Sequence[str], prior: Expectation, /) -> "Text | None":  # noqa: ARG002
        """Keep the examples; fitting needs the items too."""
        return Text(self.seed, self.processes, examples) if examples else None

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """Both twins' answers are learnt, each as one example of their words."""
        processes = self.processes if len(items) + len(self.lessons) > MANY else 1
        for item, logprobs in zip(items, by_family(items, self.lessons, self.seed, processes), strict=True):
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=logprobs)


def open(config: BuildConfig, /) -> Sequence[Text]:  # noqa: A001
    """One that knows nothing yet."""
    return [Text(config.seed, config.workers or workers.cores())]


def by_family(items: Sequence[Item], lessons: Sequence[Item], seed: int, processes: int = 1) -> list[tuple[float, ...]]:
    """Log-probability of every option of every item, from models of its own family's words, cross-fitted by pair."""
    answers: list[tuple[float, ...]] = [()] * len(items)
    at: dict[str, list[int]] = defaultdict(list)
    for n, item in enumerate(items):
        at[item.family].append(n)
    families = sorted(at, key=lambda family: (-len(at[family]), family))  # what takes longest is begun first
    tables = ([items[n] for n in at[family]] for family in families)
    taught = ([lesson for lesson in lessons if lesson.family == family] for family in families)
    fitted = workers.parallel_map(partial(_of_one_family, seed), zip(tables, taught, strict=True), processes, batch=1)
    for family, rows in zip(families, fitted, strict=True):
        for n, logprobs in zip(at[family], rows, strict=True):
            answers[n] = logprobs
    return answers


def _of_one_family(seed: int, family: tuple[Sequence[Item], Sequence[Item]], /) -> list[tuple[float, ...]]:
    items, lessons = family
    return cross_fit(
        [words(item) for item in items],
        [item.answer for item in items],
        [item.options for item in items],
        [item.pair_id for item in items],
        folds=FOLDS,
        seed=seed,
        extra=[(words(lesson), lesson.answer) for lesson in lessons],
    )


def words(item: Item) -> str:
    """All that a reader gets; options in alphabetical order, since their order is given after judging."""
    return f"{item.question} {' '.join(sorted(item.options))}"


def folds_of(groups: Sequence[str], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each row: a hash of its group, so that a group is never divided, whatever the order."""
    digests = {group: int(sha256(f"{seed}/{group}".encode()).hexdigest(), 16) % folds for group in set(groups)}
    return np.array([digests[group] for group in groups], dtype=np.int64)


def cross_fit(  # noqa: PLR0913 (columns of one table)
    texts: Sequence[str],
    answers: Sequence[str],
    options: Sequence[tuple[str, ...]],
    groups: Sequence[str],
    *,
    folds: int,
    seed: int,
    extra: Sequence[Lesson] = (),
) -> list[tuple[float, ...]]:
    """Log-probability of every option of every row, from a model fitted on `extra` and on the rows of other folds.

    Beside many lessons a few rows add nothing: one model is then fitted on `extra` alone.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    every = [*(text for text, _ in extra), *texts]
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2),
        token_pattern=r"(?u)\b\w+\b",  # noqa: S106 (a regular expression)
        sublinear_tf=True,
        min_df=2 if len(every) >= ENOUGH else 1,
        dtype=np.float32,
    )
    features = vectorizer.fit_transform(every)
    labels = np.array([*(answer for _, answer in extra), *answers])
    own = np.zeros(len(texts), np.int64) if len(texts) <= FEW * len(extra) else folds_of(groups, folds, seed)
    fold = np.concatenate([np.full(len(extra), -1), own])
    logprobs: list[tuple[float, ...]] = [()] * len(texts)
    for held in np.unique(fold[len(extra) :]).tolist():
        rows = np.flatnonzero(fold == held)
        classes, predicted = _fit(features[fold != held], labels[fold != held], features[rows])
        for row, line in zip((rows - len(extra)).tolist(), predicted, strict=True):
            logprobs[row] = restricted(options[row], dict(zip(classes, line, strict=True)))
    return logprobs


def _fit(features: Any, labels: NDArray[np.str_], unseen: Any) -> tuple[list[str], NDArray[np.float64]]:
    """Classes and the log-probability of each for every row asked; with one class, or none, there is nothing to fit."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    step = max(1, -(-len(labels) // MOST_ROWS))
    features, labels = features[::step], labels[::step]
    classes = sorted(set(labels.tolist()))
    if len(classes) < 2:
        return classes, np.zeros((unseen.shape[0], len(classes)))
    with (
        threadpool_limits(1),
        warnings.catch_warnings(),
    ):  # the matrices are small: threads would only wait for each other
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # of few examples
        model = LogisticRegression(C=10.0, max_iter=300, tol=1e-3).fit(features, labels)
    return model.classes_.tolist(), model.predict_log_proba(unseen)


def restricted(options: tuple[str, ...], logprobs: dict[str, float]) -> tuple[float, ...]:
    """Renormalised over the options; ones that nobody ever answered share the floor."""
    scores = np.logaddexp(np.array([logprobs.get(option, -np.inf) for option in options]), np.log(FLOOR))
    return tuple((scores - np.logaddexp.reduce(scores)).tolist())
