"""One file, one way to win by words alone. An attacker *attacks*."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pstgen.core import plugins
from pstgen.models.loading import ModelOptions
from pstgen.verification.samples import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What an attacker has beside the words.

    seed: of whatever it draws. lm, vlm: a language and a vision-language model, folder or hub id, "" where none was named.
    options: how they are loaded.
    images: a few images of the set by their scene, (H, W, 3) uint8, so that a VLM can be shown the wrong one.
    """

    seed: int = 0
    lm: str = ""
    vlm: str = ""
    options: ModelOptions = field(default_factory=ModelOptions)
    images: Mapping[str, Any] = field(default_factory=dict)


class Attacker(Protocol):
    """What a module in this folder defines. Its docstring begins with what the attacker does, in a sentence.

    It may define `BY_ROWS = True`, where it goes by the order of rows, which no model sees, and by no words. It may define
    `NEEDS`, a frozenset of "lm", "vlm" and "images", as above, and "lure": every sample has one. An attacker
    that needs what is missing is left out.
    """

    def attack(
        self, train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /
    ) -> list[tuple[float, ...]]:
        """Learn from the samples `train`, whose answers are given, and score every option of `test`; the highest is chosen.

        No pair and no scene is in both; a pair is tested as a whole.
        """
        ...


def load(name: str) -> Attacker:
    """The attacker of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Attacker = plugins.load("attackers", name)
    return plugin


def needs(name: str) -> frozenset[str]:
    """What this attacker cannot do without."""
    required: frozenset[str] = getattr(load(name), "NEEDS", frozenset())
    return required


def goes_by_rows(name: str) -> bool:
    """Does it go by the order of rows, which no model sees?"""
    return bool(getattr(load(name), "BY_ROWS", False))
