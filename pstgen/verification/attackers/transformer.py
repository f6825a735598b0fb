"""A language model that is fine-tuned on the words and answers of the set itself."""

from collections.abc import Sequence

from pstgen.models.huggingface import open_checked
from pstgen.verification.attackers import Resources
from pstgen.verification.finetune import scores, tune
from pstgen.verification.samples import Sample

NEEDS = frozenset({"lm"})


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:
    """Fine-tune the model anew from its folder each time."""
    model = open_checked(resources.lm, "text", resources.options)
    tune(model, train, resources.seed)
    return scores(model, test)
