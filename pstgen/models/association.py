"""What a language model associates: how much likelier it finds a thing where another one was named.

A plain sentence names the context ("There is a keyboard in the photo. There is also"), and the log-probability of each thing that
could follow is compared with the same after "something", and with its means over all contexts and all things: a model that likes a
word likes it everywhere, and some contexts make every thing likelier. Of the sentences the mean is taken. A model whose signs agree with the counted ones no oftener than a coin would is
recorded and does not decide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pstgen.core.english import grammar
from pstgen.models.huggingface import Model
from pstgen.models.judges import Judge
from pstgen.models.looking import Look
from pstgen.scenes import vocabulary

CARRIERS = (
    "There is {} in the photo. There is also",
    "In this picture you can see {} and",
    "A photo of {} next to",
)
ANYTHING = "something"
SURE = 0.05  # how seldom a coin would agree as often

Couple = tuple[str, str]  # a kind of thing, and its context


@dataclass(frozen=True, slots=True)
class ModelAssociations:
    """values: by thing and context, in nats. agreed: signs that are those of the counts, `of` so many that counts are sure of."""

    values: Mapping[Couple, float]
    agreed: int
    of: int

    @property
    def competent(self) -> bool:
        """Do the signs agree oftener than a coin would, one-sided at 95 %?"""
        from scipy.stats import binomtest

        return self.of > 0 and bool(binomtest(self.agreed, self.of, alternative="greater").pvalue < SURE)

    def summary(self) -> dict[str, int | bool]:
        """What was found, for the manifest."""
        return {"agreed": self.agreed, "of": self.of, "decides": self.competent}


def of_judges(
    judges: Iterable[Judge], couples: Iterable[Couple], counted: Mapping[Couple, float]
) -> dict[str, ModelAssociations]:
    """Of each model among the judges that reads plain text, by its judge's name without the way of looking."""
    looks: list[Any] = [judge for judge in judges if isinstance(judge, Look)]
    models = {look.name.partition("/")[0]: look.model for look in looks}
    texts = {name: model for name, model in models.items() if isinstance(model, Model)}
    return {name: associate(model, couples, counted) for name, model in texts.items()} if counted else {}


def associate(model: Model, couples: Iterable[Couple], counted: Mapping[Couple, float]) -> ModelAssociations:
    """What the model associates with each other. counted: by couple, what the counts surely add, in nats."""
    wanted = sorted(set(couples) | set(counted))
    kinds, contexts = (sorted({couple[n] for couple in wanted}) for n in (0, 1))
    matrix = _matrix(model, contexts, kinds)
    values = {(kind, context): float(matrix[contexts.index(context), kinds.index(kind)]) for kind, context in wanted}
    agreed = sum(values[couple] * added > 0 for couple, added in counted.items())
    return ModelAssociations(values, agreed, len(counted))


def _matrix(model: Model, contexts: Sequence[str], kinds: Sequence[str]) -> NDArray[np.float64]:
    """(contexts, kinds) nats."""
    named = [ANYTHING, *map(_with_article, contexts)]
    endings = [f" {_with_article(kind)}" for kind in kinds]
    texts = [carrier.format(thing) for carrier in CARRIERS for thing in named]
    scores = np.array(model.score_texts(texts, [endings] * len(texts))).reshape(len(CARRIERS), len(named), len(kinds))
    added = (scores[:, 1:] - scores[:, :1]).mean(axis=0)
    return np.asarray(added - added.mean(axis=0) - added.mean(axis=1, keepdims=True) + added.mean())


def _with_article(kind: str) -> str:
    return str(grammar().a(vocabulary.spoken(kind)))
