"""A vision-language model, as it is, that is shown the image of another scene of the set: twins get one and the same."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256

from pstgen.core.records import BadInput
from pstgen.models.huggingface import Image, Model
from pstgen.verification.attackers import Means
from pstgen.verification.finetune import scores
from pstgen.verification.samples import Case

NEEDS = frozenset({"vlm", "others"})


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learnt)
    """What it sees elsewhere."""
    return scores(Model(means.vlm, means.device), asked, elsewhere(asked, means.others))


def elsewhere(asked: Sequence[Case], others: Mapping[str, Image]) -> list[Image]:
    """An image for every case, drawn by its pair's name from scenes that no twin is asked about.

    Raises BadInput where there is no such scene.
    """
    scenes: defaultdict[str, set[str]] = defaultdict(set)
    for case in asked:
        scenes[case.pair].add(case.scene)

    def drawn(case: Case) -> Image:
        names = sorted(set(others) - scenes[case.pair])
        if not names:
            raise BadInput(
                f"pair {case.pair}: the set has no other scene to show; attack it without a VLM, or build more"
            )
        return others[names[int(sha256(case.pair.encode()).hexdigest(), 16) % len(names)]]

    return [drawn(case) for case in asked]
