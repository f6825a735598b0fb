"""One file, one way to expect. A prior *expects*: how likely an answer is, and what the words add to that, before anybody looks."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple, Protocol

from pstgen.core import plugins
from pstgen.core.records import Association, Fact, origin
from pstgen.questions import families
from pstgen.questions.families import ANYWHERE, Question

Tally = Counter[tuple[Question, str]]  # how often each question had each answer


class Expected(NamedTuple):
    """What a question's words add most to: that answer, how often it was given, of how many, and what they add."""

    question: Question
    answer: str
    times: int
    of: int
    association: Association


class Expectation(Protocol):
    """What a fitted prior does. It can be pickled: worker processes expect, too."""

    def expect(self, question: Question, answers: tuple[str, ...], /) -> tuple[float, ...]:
        """Return the probability of every answer to `question`; they sum to one."""
        ...

    def associate(self, question: Question, answers: tuple[str, ...], /) -> tuple[Association, ...]:
        """Return what the words of `question` add to the log-odds of every answer."""
        ...

    def strongest(self, least: int, /) -> list[Expected]:
        """Questions answered `least` times or more, each with the answer that its words add most to, the surest first."""
        ...


class Prior(Protocol):
    """What a module in this folder defines."""

    def fit(self, tally: Mapping[tuple[Question, str], int], /) -> Expectation:
        """Learn from how often each question had each answer in scenes that give no items."""
        ...


def count(facts: Iterable[Fact]) -> Tally:
    """How often each question had each answer among known facts; without its context, once a scene."""
    return Counter(answered(facts))


def answered(facts: Iterable[Fact]) -> Iterator[tuple[Question, str]]:
    """Every question with its answer, as `count` counts them."""
    once = set()
    for fact in facts:
        question, answer = fact.question, str(fact.truth.answer)
        yield question, answer
        if plain := families.without_context(question):
            once.add((fact.scene_id, plain, answer))
    yield from ((question, answer) for _, question, answer in once)


def is_asked(question: Question) -> bool:
    """Is it a question, or only counted?

    >>> is_asked(("existence", "given at all", ("mouse",)))
    False
    """
    return not question[1].endswith(ANYWHERE)


def is_prior_part(scene_id: str, split: str, share: float, seed: int) -> bool:
    """Does this scene feed the prior and give no items? A rule that anyone can apply again; of an edited one, its origin.

    split: a split of its own for the prior, or ""; share: of the other scenes, those that a hash draws.

    >>> sum(is_prior_part(f"val2017/{n}", "", 0.3, 0) for n in range(1000))
    311
    >>> is_prior_part("train2017/9", "train2017", 0.0, 0)
    True
    """
    scene_id = origin(scene_id)
    if split and scene_id.startswith(f"{split}/"):
        return True
    digest = sha256(f"{seed}/{scene_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def load(name: str) -> Prior:
    """The prior of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Prior = plugins.load("priors", name)
    return plugin
