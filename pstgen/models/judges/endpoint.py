"""A vision-language model behind OpenAI-compatible servers (vLLM, SGLang, transformers serve, llama.cpp): one, or many of the same."""

from collections.abc import Sequence

from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput, Unavailable
from pstgen.models.endpoint import Endpoint, Limits, Served
from pstgen.models.endpoint_fleet import Fleet
from pstgen.models.looking import VIEWS, Look


def open(config: BuildConfig, /) -> Sequence[Look]:  # noqa: A001
    """Ask the server, or several parted by commas, what it offers, and look through it in every way.

    Raises Unavailable where none answers, BadInput where an address is missing, or they serve different models.
    """
    judges = config.judges
    if not judges.vlm or not judges.vlm_name:
        raise BadInput("a server needs --vlm http://HOST:PORT/v1 and --vlm-name, the name that it serves the model by")
    limits = Limits(
        concurrency=judges.concurrency,
        timeout=judges.timeout,
        per_second=judges.per_second,
        max_requests=judges.max_requests,
        max_cost=judges.max_cost,
        price_in=judges.price_in,
        price_out=judges.price_out,
    )
    urls = [url.strip() for url in judges.vlm.split(",") if url.strip()]
    model: Served = (
        Fleet(urls, judges.vlm_name, limits) if len(urls) > 1 else Endpoint(judges.vlm, judges.vlm_name, limits)
    )
    way = judges.ask or model.ways[0]
    if way not in model.ways:
        raise Unavailable(f"{model.url}: cannot be asked by {way}; it can by {', '.join(model.ways)}: --ask")
    return [Look(f"vlm/{view}", model, view, way, judges.batch_size, server=model.url) for view in VIEWS]
