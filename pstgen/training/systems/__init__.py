"""One file, one way to learn and to answer. A system *plans* what it learns and *answers* what it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pstgen.core import plugins
from pstgen.models.answerer import Answerer, Query

RIVAL = "rival"


@dataclass(frozen=True, slots=True)
class Part:
    """One model of a system that has several. families: those that it learns."""

    name: str
    families: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a system is trained.

    pretraining: what stage 1 teaches the image encoder; "" where there is no stage 1. reward: has stage 2 the perceptual
    reward? corruption: of a control, what is done to the perceptual targets, or in stage 3 to the answers that are rewarded.
    sees: does it get images in training?
    longer: stage 2 goes on until it has cost as much as perceptual reward's two stages.
    preamble: what comes before the answer: a chain of what is seen, or, before the question, what tools say of the image.
    detects: does it look with a detector when it answers?
    weights_of: another system whose weights answer; nothing is trained, unless `rival` says that one of the same kind, under
    another seed, answers too: it is the part RIVAL. after: another system, with whose trained weights
    stage 3 begins; gate: what stage 3 rewards: an answer where those to both twins of a pair are right, or each by itself.
    parts: of a system that has several models, which they are; together they are trained for as many steps as one model of
    another system. families: those that stage 2 asks about; none means all.
    control: is it there only to show that perceptual reward's gain means something?
    """

    pretraining: Literal["", "perception", "self-supervised"] = ""
    reward: bool = False
    corruption: Literal["", "random", "shuffled"] = ""
    sees: bool = True
    longer: bool = False
    preamble: Literal["", "chain", "tools"] = ""
    detects: bool = False
    weights_of: str = ""
    rival: bool = False
    after: str = ""
    gate: Literal["", "pair", "item"] = ""
    parts: tuple[Part, ...] = ()
    families: tuple[str, ...] = ()
    control: bool = False

    @property
    def uses_detector(self) -> bool:
        """Does it answer with a detector at hand?"""
        return self.detects or self.preamble == "tools"


class System(Protocol):
    """What a module in this folder defines."""

    PLAN: Plan

    def answer(self, answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
        """One answer per query, in their order: one of its options, or free text where it has none."""
        ...


def load(name: str) -> System:
    """The system of that name. Raises BadInput where there is none."""
    system: System = plugins.load("systems", name)
    return system
