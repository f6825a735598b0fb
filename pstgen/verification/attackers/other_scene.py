"""A vision-language model, as it is, that is shown the image of another scene of the set: twins get one and the same."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256

from pstgen.core.records import BadInput
from pstgen.models.chat import Image
from pstgen.models.huggingface import open_checked
from pstgen.verification.attackers import Resources
from pstgen.verification.finetune import scores
from pstgen.verification.samples import Sample

NEEDS = frozenset({"vlm", "images"})


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learned)
    """What it sees elsewhere."""
    return scores(
        open_checked(resources.vlm, options=resources.options), test, images_of_others(test, resources.images)
    )


def images_of_others(samples: Sequence[Sample], images: Mapping[str, Image]) -> list[Image]:
    """An image for every sample, drawn by its pair's name from scenes that no twin is asked about.

    Raises BadInput where there is no such scene.
    """
    scenes: defaultdict[str, set[str]] = defaultdict(set)
    for sample in samples:
        scenes[sample.pair].add(sample.scene)

    def draw(pair: str) -> Image:
        names = sorted(set(images) - scenes[pair])
        if not names:
            raise BadInput(f"pair {pair}: the set has no other scene to show; attack it without a VLM, or build more")
        return images[names[int(sha256(pair.encode()).hexdigest(), 16) % len(names)]]

    return [draw(sample.pair) for sample in samples]
