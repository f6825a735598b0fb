"""One file, one way to win by words alone. An attacker *attacks*."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pstgen.verification.samples import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What an attacker has beside the words.

    seed: of whatever it draws. lm, vlm: a language and a vision-language model, folder or hub id, "" where none was named.
    others: a few images of the set by their scene, (H, W, 3) uint8, so that a VLM can be shown the wrong one.
    """

    seed: int = 0
    lm: str = ""
    vlm: str = ""
    device: str = "auto"
    others: Mapping[str, Any] = field(default_factory=dict)


class Attacker(Protocol):
    """What a module in this folder defines.

    It may say what it NEEDS, a frozenset of "lm", "vlm" and "others", as above, and "lure": every case has one. An
    attacker that needs what is not there is not asked.
    """

    def attack(self, learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:
        """Learn from some cases, whose answers are given, and score every option of others; the highest is the answer.

        No pair and no scene is in both; a pair is asked as a whole.
        """
        ...
