"""README.md beside trained weights: what it is, how it was trained, what it reached, what it is not good for."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pstgen.evaluation import summary
from pstgen.evaluation.results import Arm, Results
from pstgen.evaluation.summary import BASE, Column

FREE = ("tiny", "vit-b16", "resnet50")  # encoders that are made from random weights
TOLD = (*summary.REACHED, summary.PERPLEXITY, Column("pst/lure_rate", "PST lure rate"), summary.MILLISECONDS)
SHOWN = "encoder_steps joint_steps batch questions learning_rate reward dense words lora frozen".split()  # noqa: SIM905
VLM = """---
{header}---
# {name}

{about} One of {systems} systems and {controls} controls that `pstgen train-eval` trained beside each other, under seed {seed}: it
is there to be compared with them, more than to be used.

```python
from transformers import AutoModelForImageTextToText, AutoProcessor

folder = "."  # the one that this file is in
model = AutoModelForImageTextToText.from_pretrained(folder, dtype="float32")
processor = AutoProcessor.from_pretrained(folder)
chat = [{{"role": "user", "content": [{{"type": "image"}}, {{"type": "text", "text": "Is there a dog in the picture?"}}]}}]
prompt = processor.apply_chat_template(chat, add_generation_prompt=True)
inputs = processor(images=[image], text=[prompt], return_tensors="pt")  # image: a PIL image or (H, W, 3) uint8
print(processor.decode(model.generate(**inputs, max_new_tokens=6)[0], skip_special_tokens=True))
```

## What it reached

| figure | this seed | {over} |
|---|---:|---:|
{table}

{basis} In percent, but for perplexity and milliseconds. *PST pairs*: all twins of a pair are answered rightly; nobody wins one
by the words alone. *Language*: multiple choice on words alone. {against}
{absent}
## How it was trained

```sh
{command}
```

{start} {parameters:,} parameters; {encoder:,} steps of stage 1 and {joint:,} of stage 2, {flops:.3g} training FLOPs in all, {seconds:,.0f} s
on {device}. The perception heads are not part of what is saved here.

{recipe}

The whole recipe is in `recipe.json` of the run, with versions and every figure in `results.json`.

## Limits

{limits}
"""
ENCODER = """---
{header}---
# {name}

An image encoder after stage 1 of `pstgen train-eval`: {about}. Systems of the run begin stage 2 with it. `model.safetensors`
is an ordinary Transformers model; `heads.safetensors` has the heads that read it in training.

```python
from transformers import AutoModel

model = AutoModel.from_pretrained(".", dtype="float32")  # the folder that this file is in
features = model(pixel_values=images).last_hidden_state  # images: (B, 3, {size}, {size}), -1 to 1
```

## How it was trained

```sh
{command}
```

{start} {steps:,} steps of {batch} images. {recipe}

## Limits

{limits} What it sees was measured only through the systems that begin with it: see `results.json` of the run.
"""
TAUGHT = {
    "perception": "the features under each mask are contrasted with what is there, and dense heads read patches",
    "self-supervised": "it learns to fill in hidden patches",
    "perception-random": "a control, whose perceptual targets are drawn at random",
    "perception-shuffled": "a control, whose masks are those of another scene",
}


def write(arm: Arm, results: Results, folder: Path) -> None:
    """Write README.md beside the weights of one system under one seed."""
    recipe = results.recipe
    counts = {"systems": len(summary.systems(results)), "controls": len(summary.controls(results)), "seed": arm.seed}
    text = VLM.format(
        header=_header(results, "image-text-to-text", ("vision-language", "perceptual-reward"), arm),
        name=f"{arm.system}, seed {arm.seed}",
        about=summary.about(arm.system),
        over=f"over {summary.seeds(results)} seeds [95 %]" if summary.seeds(results) > 1 else "[95 % over pairs]",
        table="\n".join(_rows(arm, results)),
        basis=summary.basis(results),
        against=_against(arm, results),
        absent=_absent(arm, results),
        command=results.command,
        start=_start(recipe, speaks=True),
        parameters=arm.parameters,
        flops=arm.flops,
        seconds=arm.seconds,
        device=results.device,
        recipe=_settings(recipe),
        limits=_limits(recipe),
        **counts,
        **arm.steps,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def encoders(results: Results, out: Path) -> None:
    """Write README.md beside every encoder of stage 1; their folders are named after what they were taught."""
    for seed in sorted({arm.seed for arm in results.arms}):
        for file in sorted(out.glob(f"seed-{seed}/encoder-*/model.safetensors")):
            (file.parent / "README.md").write_text(_encoder(results, file.parent, seed), encoding="utf-8")


def _encoder(results: Results, folder: Path, seed: int) -> str:
    recipe, kind = results.recipe, folder.name.removeprefix("encoder-")
    return ENCODER.format(
        header=_header(results, "image-feature-extraction", ("perception", "vision"), None),
        name=f"encoder, {kind}, seed {seed}",
        about=TAUGHT.get(kind, kind),
        size=recipe.get("size", "S"),
        command=results.command,
        start=_start(recipe, speaks=False),
        steps=recipe.get("encoder_steps", 0),
        batch=recipe.get("batch", 0),
        recipe=_settings(recipe),
        limits=_limits(recipe),
    )


# ---------------------------------------------------------------------------------------------------------- header


def _header(results: Results, pipeline: str, tags: Sequence[str], arm: Arm | None) -> str:
    """Hugging Face's metadata. Only what the world alone taught is ours to give away."""
    told: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": pipeline,
        "license": "cc0-1.0" if own(results.recipe) else "other",
        "language": ["en"],
        "tags": ["pstgen", *tags, *["synthetic"] * own(results.recipe)],
    }
    base = str(results.recipe.get("model") or "")
    if _is_hub_id(base):
        told["base_model"] = base
    if arm:
        told["model-index"] = [{"name": arm.system, "results": list(_index(arm))}]
    return msgspec.yaml.encode(told).decode()


def own(recipe: dict[str, Any]) -> bool:
    """Did it learn from the built-in world alone, from random weights?"""
    return not recipe.get("model") and not recipe.get("train") and recipe.get("encoder", "tiny") in FREE


def _index(arm: Arm) -> Iterator[dict[str, Any]]:
    for name, column in (
        ("Perception Stress Test", summary.PAIR),
        ("VQA v2, or the world's exam in its format", summary.VQA),
        ("GQA, or the world's exam in its format", summary.GQA),
    ):
        if column.figure in arm.figures:
            yield {
                "task": {"type": "visual-question-answering"},
                "dataset": {"name": name, "type": column.figure.partition("/")[0]},
                "metrics": [{"type": "accuracy", "name": column.head, "value": round(arm.figures[column.figure], 2)}],
            }


# ---------------------------------------------------------------------------------------------------------- figures


def _rows(arm: Arm, results: Results) -> Iterator[str]:
    for column in TOLD:
        if column.figure in arm.figures:
            one = summary.estimate(results, arm.system, column.figure)
            over = one.told(column.form) if one and (one.bounded or summary.seeds(results) > 1) else ""
            yield f"| {column.head} | {column.form.format(arm.figures[column.figure])} | {over} |"


def _against(arm: Arm, results: Results) -> str:
    told = summary.against(results, arm.system, summary.PAIR.figure)
    if not told:
        return ""
    return (
        f"Against `{BASE}`, over all seeds: {told.better:,} pairs that it alone wins, {told.worse:,} that {BASE} alone wins, "
        f"McNemar's p {summary.probability(told.p)}."
    )


def _absent(arm: Arm, results: Results) -> str:
    lines = [
        f"- {column.head}: {summary.why(results, arm.system, column.figure)}"
        for column in TOLD
        if column.figure not in arm.figures
    ]
    return "\nNot measured:\n\n" + "\n".join(lines) + "\n" if lines else ""


# ---------------------------------------------------------------------------------------------------------- training


def _start(recipe: dict[str, Any], *, speaks: bool) -> str:
    data = "scenes in COCO's layout" if recipe.get("train") else "pstgen's built-in world"
    weights = f"`{_named(recipe['model'])}`" if recipe.get("model") else "random weights"
    if speaks and recipe.get("language") and not recipe.get("model"):
        weights += f", but for the language model, which begins as that of `{_named(recipe['language'])}`"
    return f"From {weights}, on {data}."


def _named(model: str) -> str:
    """A hub id as it is; of a folder its name alone, since where it lay is nobody's business."""
    return model if _is_hub_id(model) else Path(model).name


def _is_hub_id(model: str) -> bool:
    return model.count("/") == 1 and not model.startswith((".", "/", "~")) and not Path(model).exists()


def _settings(recipe: dict[str, Any]) -> str:
    told = ", ".join(f"{name} {recipe[name]}" for name in SHOWN if recipe.get(name))
    families = ", ".join(recipe.get("families", ()))
    return f"Settings: {told}. Families: {families}." if families else f"Settings: {told}."


def _limits(recipe: dict[str, Any]) -> str:
    if own(recipe):
        return (
            "It has seen drawings of a small world and nothing else: never use it on photographs. It knows the question families "
            "above and no other, in English. The world's language priors were put there on purpose, and it has learnt them."
        )
    return (
        "It is as good and as bad as what it was made from, and its licence is that of the base model and of the pictures it "
        "learnt from: look there before you pass it on. It was not made safe for any use beyond research."
    )
