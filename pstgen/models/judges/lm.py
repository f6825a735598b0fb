"""A Hugging Face causal language model that reads the words and never sees an image."""

from collections.abc import Sequence

from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput
from pstgen.models import looking
from pstgen.models.huggingface import open_checked
from pstgen.models.looking import Look


def open(config: BuildConfig, /) -> Sequence[Look]:  # noqa: A001
    """Load the model. Raises Unavailable where it does not load or cannot be asked."""
    judges = config.judges
    if not judges.lm:
        raise BadInput("the judge lm needs --lm: a folder, a hub id, or smollm2")
    model = open_checked(judges.lm, "text", looking.model_options(judges, sees=False))
    return [Look("lm", model, "no-image", looking.way(judges, model), judges.batch_size)]
