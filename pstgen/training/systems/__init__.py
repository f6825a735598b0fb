"""One file, one way to learn and to answer. A system *plans* what it learns and *answers* what it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pstgen.models.answerer import Query, Speaker


@dataclass(frozen=True, slots=True)
class Plan:
    """How a system is trained.

    first: what stage 1 teaches the image encoder, if there is one. reward: does stage 2 have the perceptual reward?
    corrupt: what is done to the perceptual targets, of a control. sees: are images looked at in training?
    longer: stage 2 goes on until it has cost as much as perceptual reward's two stages.
    told: what stands in the text beside question and answer: a chain before the answer, or what tools say.
    of: another system whose weights answer; nothing is trained.
    control: is it there only to show that perceptual reward's gain means something?
    """

    first: Literal["", "perception", "self-supervised"] = ""
    reward: bool = False
    corrupt: Literal["", "random", "shuffled"] = ""
    sees: bool = True
    longer: bool = False
    told: Literal["", "chain", "tools"] = ""
    of: str = ""
    control: bool = False


class System(Protocol):
    """What a module in this folder defines."""

    PLAN: Plan

    def answer(self, speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
        """One answer a query, in their order: one of its options, or free text where it has none."""
        ...
