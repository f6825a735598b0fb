"""A Hugging Face vision-language model, looking in four ways: at no image, a grey one, another scene's, and the item's own."""

from collections.abc import Sequence

from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput
from pstgen.models import looking
from pstgen.models.huggingface import open_checked
from pstgen.models.looking import VIEWS, Look


def open(config: BuildConfig, /) -> Sequence[Look]:  # noqa: A001
    """Load the model once and look through it in every way. Raises Unavailable where it does not load or cannot be asked."""
    judges = config.judges
    if not judges.vlm:
        raise BadInput("the judge vlm needs --vlm: a folder, a hub id, or a server's address")
    model = open_checked(judges.vlm, options=looking.model_options(judges, sees=True))
    way = looking.way(judges, model)
    return [Look(f"vlm/{view}", model, view, way, judges.batch_size) for view in VIEWS]
