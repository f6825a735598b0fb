"""A vision-language model that is given no image, fine-tuned on the words and answers of the set itself."""

from collections.abc import Sequence

from pstgen.models.huggingface import open_checked
from pstgen.verification.attackers import Resources
from pstgen.verification.finetune import scores, tune
from pstgen.verification.samples import Sample

NEEDS = frozenset({"vlm"})


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:
    """Fine-tune the model anew from its folder each time; without images the encoder learns nothing."""
    model = open_checked(resources.vlm, options=resources.options)
    tune(model, train, resources.seed)
    return scores(model, test)
