"""What gives a benchmark's answers away: letters, words, and the questions that most attackers get right."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pstgen.verification.attack import AttackRun, vulnerability
from pstgen.verification.choices import LETTERS, YES_NO
from pstgen.verification.samples import Sample

WORD = re.compile(r"[^\W\d_]+")
LEAST = 10  # times that a word is counted, before anything is said of it
SURE = 3.0  # standard errors from chance, below which nothing is said of a word
MOST = 12  # words, categories or questions that are shown


class Word(NamedTuple):
    """A word, and where it stands: of `offered` times that it could be told, the option was right `right` times; by chance, `chance`."""

    word: str
    place: str
    right: int
    offered: int
    chance: float

    @property
    def z(self) -> float:
        """How many standard errors that is above chance; below, where it is negative."""
        return (self.right / self.offered - self.chance) / sqrt(self.chance * (1 - self.chance) / self.offered)


class Category(NamedTuple):
    """Questions of one category: chance, the commonest answer, and the best attacker's share of right answers."""

    name: str
    questions: int
    chance: float
    majority: float
    best: float
    attacker: str


class Letter(NamedTuple):
    """An option's place, or yes and no: how often it is right, of so many questions that offer it; chance, a share."""

    name: str
    right: int
    offered: int
    chance: float


def letters(samples: Sequence[Sample]) -> list[Letter]:
    """How often each place is right; of yes/no questions, each answer."""
    right, offered, chance = Counter[str](), Counter[str](), defaultdict[str, float](float)
    for sample in samples:
        names = sample.options if set(sample.options) == set(YES_NO) else LETTERS[: len(sample.options)]
        for n, name in enumerate(names):
            offered[name] += 1
            chance[name] += 1 / len(sample.options)
            right[name] += n == sample.answer
    return [Letter(name, right[name], n, chance[name] / n) for name, n in sorted(offered.items())]


def words(samples: Sequence[Sample]) -> list[Word]:
    """The words that tell most, the surest first: of options, and of questions that are answered yes or no."""
    right, offered = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    chance = defaultdict[tuple[str, str], float](float)
    share_of_yes = _share_of_yes(samples)
    for sample in samples:
        for word, place, is_right, by_chance in _told(sample, share_of_yes):
            offered[word, place] += 1
            right[word, place] += is_right
            chance[word, place] += by_chance
    counted = [Word(*of, right[of], n, chance[of] / n) for of, n in offered.items() if n >= LEAST]
    sure = (word for word in counted if 0 < word.chance < 1 and abs(word.z) >= SURE)
    return sorted(sure, key=lambda word: (-abs(word.z), word.word))[:MOST]


def _share_of_yes(samples: Sequence[Sample]) -> float:
    answers = [sample.correct_option for sample in samples if set(sample.options) == set(YES_NO)]
    return answers.count("yes") / len(answers) if answers else 0.5


def _told(sample: Sample, share_of_yes: float) -> Iterator[tuple[str, str, bool, float]]:
    """A word, where it stands, whether its option (or yes) is right, and how likely that is anyway."""
    if set(sample.options) == set(YES_NO):
        for word in sorted(set(WORD.findall(sample.question.lower()))):
            yield word, "question, yes", sample.correct_option == "yes", share_of_yes
        return
    by_option = [set(WORD.findall(option.lower())) for option in sample.options]
    for n, own in enumerate(by_option):
        others = set().union(*(by_option[:n] + by_option[n + 1 :]))
        for word in sorted(own - others):
            yield word, "option", n == sample.answer, 1 / len(sample.options)


def categories(samples: Sequence[Sample], runs: Sequence[AttackRun]) -> list[Category]:
    """Each category that is named, the largest first."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for n, sample in enumerate(samples):
        places[sample.category].append(n)
    return sorted(
        (_category(name, np.array(of), samples, runs) for name, of in places.items() if name),
        key=lambda category: (-category.questions, category.name),
    )[:MOST]


def _category(name: str, of: NDArray[np.int64], samples: Sequence[Sample], runs: Sequence[AttackRun]) -> Category:
    own = [samples[n] for n in of.tolist()]
    commonest = Counter(sample.correct_option for sample in own).most_common(1)[0][1]
    best, attacker = max((float(run.correct[of].mean()), run.result.attacker) for run in runs)
    chance = float(np.mean([1 / len(sample.options) for sample in own]))
    return Category(name, len(own), chance, commonest / len(own), best, attacker)


def repeated(samples: Sequence[Sample]) -> int:
    """Questions that stand there again in the same words, with the same options and answer, over the same scene."""
    seen = Counter(
        (sample.scene, sample.question, frozenset(sample.options), sample.correct_option) for sample in samples
    )
    return sum(n - 1 for n in seen.values())


def must_go(samples: Sequence[Sample], runs: Sequence[AttackRun]) -> NDArray[np.bool_]:
    """(samples,) Which questions would have to go, or be paired, until no attacker is right about more of the rest than chance.

    The most vulnerable first, by the answers that the attackers gave to the whole set; on what is left they would learn anew.
    """
    chance = np.array([1 / len(sample.options) for sample in samples])
    order = np.argsort(-(vulnerability(runs) - chance), kind="stable")
    above = np.stack([run.correct[order] - chance[order] for run in runs])
    rest = above.sum(axis=1, keepdims=True) - np.cumsum(above, axis=1)  # of each attacker, once so many are gone
    beaten = np.append((above.sum(axis=1) <= 0).all(), (rest <= 0).all(axis=0))
    gone = int(beaten.argmax()) if beaten.any() else len(order)
    marked = np.zeros(len(order), bool)
    marked[order[:gone]] = True
    return marked
