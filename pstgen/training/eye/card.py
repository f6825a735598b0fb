"""The eye's model card: what it sees, as it was measured, and how it was trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pstgen.training.eye.measure import WAYS, Figure, interval, with_families
from pstgen.training.recipe import WorldRecipe

CARD = """---
library_name: transformers
pipeline_tag: image-text-to-text
license: cc0-1.0
tags: [llava, synthetic, perception]
---
# {name}

A LLaVA of {parameters:.1f} million parameters that sees pstgen's built-in world, and nothing else: it was trained from
random weights on drawings alone. It is the VLM in the loop where there is nothing to download; never use it on photographs.

```python
from transformers import AutoModelForImageTextToText, AutoProcessor

model = AutoModelForImageTextToText.from_pretrained("{name}", dtype="float32")
processor = AutoProcessor.from_pretrained("{name}")
```

## What it sees

Questions on scenes it never looked at, of a world in which nothing is typical. They come in twos, one question over two
scenes with two answers, so without the image **half is the ceiling**, however many options there are. *Neutral*: asked
plainly. *Lured*: asked in words that suggest a wrong answer. *Blinded*: asked plainly, without the image. Share of right
answers with its 95 % Clopper-Pearson interval; *chance* is the mean of one over the number of options.

{table}

Printed by `{command}`.

## How it was trained

{training}

Recipe: `recipe.json`. On images it learnt from scenes in which nothing is typical, with questions of every family, each
answer as likely as any other and the lure drawn at random. Without images it learnt what is usual in the world
({typicality:.0%} typical), so that it expects what people expect when it cannot look.
"""


def table(figures: Sequence[Figure]) -> str:
    """Markdown: families, and the sentences of each below it."""
    lines = [
        "| family | sentence | questions | chance | neutral | lured | blinded |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in with_families(figures):
        shares = " | ".join(_share(getattr(row, way), row.questions) for way in WAYS)
        name = f"**{row.family}**" if not row.form else ""
        lines.append(f"| {name} | {row.form} | {row.questions} | {row.chance:.0%} | {shares} |")
    return "\n".join(lines)


def _share(right: int, questions: int) -> str:
    low, high = interval(right, questions)
    return f"{right / questions:.1%} [{low:.0%}, {high:.0%}]"


def write(folder: Path, recipe: WorldRecipe, figures: Sequence[Figure], parameters: int, command: str) -> None:
    """Write README.md and measured.json beside the weights; `training.md` there, if any, says how it was trained."""
    note = folder / "training.md"
    text = CARD.format(
        name=folder.name,
        parameters=parameters / 1e6,
        table=table(figures),
        command=command,
        typicality=recipe.told_typicality,
        training=note.read_text(encoding="utf-8").strip() if note.is_file() else "",
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    measured: dict[str, Any] = {"command": command, "figures": msgspec.to_builtins(figures)}
    (folder / "measured.json").write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n")
