"""How many parameters a model has, by its configuration."""

from dataclasses import dataclass
from typing import Any

from pstgen.models.loading import Kind


@dataclass(frozen=True)
class Parameters:
    """Numbers of a model's weights.

    language: that every token goes through, without the table of tokens and the output's matrix. vision: all that only
    pictures go through. total: all of them.
    """

    language: int
    vision: int
    total: int


def of(config: Any, kind: Kind) -> Parameters:
    """Of a model that is made without memory."""
    import torch
    import transformers

    auto = transformers.AutoModelForCausalLM if kind == "text" else transformers.AutoModelForImageTextToText
    with torch.device("meta"):
        model = auto.from_config(config)
    decoder, table, output = model.get_decoder(), model.get_input_embeddings(), model.get_output_embeddings()
    language, total = _count(decoder), _count(model)
    tied = output is None or output.weight is table.weight
    return Parameters(
        language=language - _count(table),
        vision=total - language - (0 if tied else _count(output)),
        total=total,
    )


def _count(module: Any) -> int:
    return sum(int(weight.numel()) for weight in module.parameters())
