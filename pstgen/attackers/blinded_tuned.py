"""A vision-language model that is given no image, fine-tuned on the words and answers of the set itself."""

from collections.abc import Sequence

from pstgen.attackers import Means
from pstgen.cases import Case
from pstgen.likelihood import Model
from pstgen.tuning import scores, tune

NEEDS = frozenset({"vlm"})


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:
    """Each time anew from the model as it is on disk; without images the encoder learns nothing."""
    model = Model(means.vlm, means.device)
    tune(model, learnt, means.seed)
    return scores(model, asked)
