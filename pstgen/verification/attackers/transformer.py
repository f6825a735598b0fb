"""A language model that is fine-tuned on the words and answers of the set itself."""

from collections.abc import Sequence

from pstgen.models.huggingface import Model
from pstgen.verification.attackers import Means
from pstgen.verification.finetune import scores, tune
from pstgen.verification.samples import Case

NEEDS = frozenset({"lm"})


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:
    """Each time anew from the model as it is on disk."""
    model = Model(means.lm, means.device, "text")
    tune(model, learnt, means.seed)
    return scores(model, asked)
