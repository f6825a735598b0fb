"""One file, one way to expect. A prior *expects*: P(answer | words), before anybody looks."""

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Protocol

from pstgen.core import plugins
from pstgen.core.records import Fact, origin

Question = tuple[str, str, tuple[str, ...]]  # family, form and words: what twins must share
Tally = Counter[tuple[Question, str]]  # how often each question had each answer


class Expectation(Protocol):
    """What a fitted prior does."""

    def expect(self, question: Question, answers: tuple[str, ...], /) -> tuple[float, ...]:
        """Return the probability of every answer to `question`; they sum to one."""
        ...

    def strongest(self, least: int, /) -> list[tuple[Question, str, int, int]]:
        """Questions answered `least` times or more that one answer dominates: question, answer, how often, of how many."""
        ...


class Prior(Protocol):
    """What a module in this folder defines."""

    def fit(self, tally: Mapping[tuple[Question, str], int], /) -> Expectation:
        """Learn from how often each question had each answer in scenes that give no items."""
        ...


def count(facts: Iterable[Fact]) -> Tally:
    """How often each question had each answer among known facts."""
    return Counter((fact.question, str(fact.truth.answer)) for fact in facts)


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
