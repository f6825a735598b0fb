"""README.md beside trained weights: what it is, how it was trained, what it reached, what it is not good for."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pstgen.core import pages
from pstgen.evaluation import summary
from pstgen.evaluation.results import ArmResult, Results

RANDOM_ENCODERS = ("tiny", "vit-b16", "resnet50")  # encoders that are made from random weights
SETTINGS = (
    "encoder_steps",
    "joint_steps",
    "batch",
    "questions",
    "learning_rate",
    "reward",
    "dense",
    "words",
    "lora",
    "frozen",
)
INDEXED = {  # on Hugging Face's leaderboards: the dataset's name → its figure
    "Perception Stress Test": summary.PAIR,
    "VQA v2, or the world's exam in its format": summary.VQA,
    "GQA, or the world's exam in its format": summary.GQA,
}
PRETRAINING = {
    "perception": "the features under each mask are contrasted with what is there, and dense heads read patches",
    "self-supervised": "it learns to fill in hidden patches",
    "perception-random": "a control, whose perceptual targets are drawn at random",
    "perception-shuffled": "a control, whose masks are those of another scene",
}

Recipe = Mapping[str, Any]  # as results.json has it


class FigureRow(NamedTuple):
    """A line of the table of figures."""

    figure: str
    this_seed: str
    over_seeds: str


def write(arm: ArmResult, results: Results, folder: Path) -> None:
    """Write README.md beside the weights of one system under one seed."""
    recipe = results.recipe
    index = [{"name": arm.system, "results": list(_index(arm))}]
    text = pages.render(
        "evaluation/report/model_card.md.jinja",
        header=_header(recipe, "image-text-to-text", ("vision-language", "perceptual-reward"), {"model-index": index}),
        arm=arm,
        about=summary.about(arm.system),
        systems=len(summary.systems(results)),
        controls=len(summary.controls(results)),
        seeds=summary.seeds(results),
        rows=list(_rows(arm, results)),
        basis=summary.basis(results),
        test=summary.against(results, arm.system, summary.PAIR.figure),
        probability=summary.probability,
        absent=_absent(arm, results),
        device=results.device,
        language=_name(recipe.get("language")) if not recipe.get("model") else "",
        **_training(results),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def write_encoders(results: Results, out: Path) -> None:
    """Write README.md beside every encoder of stage 1; their folders are named after what they were taught."""
    for seed in sorted({arm.seed for arm in results.arms}):
        for file in sorted(out.glob(f"seed-{seed}/encoder-*/model.safetensors")):
            text = _encoder_card(results, file.parent.name.removeprefix("encoder-"), seed)
            (file.parent / "README.md").write_text(text, encoding="utf-8")


def _encoder_card(results: Results, kind: str, seed: int) -> str:
    recipe = results.recipe
    return pages.render(
        "evaluation/report/encoder_card.md.jinja",
        header=_header(recipe, "image-feature-extraction", ("perception", "vision"), {}),
        kind=kind,
        seed=seed,
        pretraining=PRETRAINING.get(kind, kind),
        size=recipe.get("size", "S"),
        steps=recipe.get("encoder_steps", 0),
        batch=recipe.get("batch", 0),
        **_training(results),
    )


# ---------------------------------------------------------------------------------------------------------- header


def _header(recipe: Recipe, pipeline: str, tags: Sequence[str], more: Mapping[str, Any]) -> str:
    """Hugging Face's metadata. Only what the world alone taught is ours to give away."""
    from_scratch = learnt_from_world_alone(recipe)
    metadata: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": pipeline,
        "license": "cc0-1.0" if from_scratch else "other",
        "language": ["en"],
        "tags": ["pstgen", *tags, *["synthetic"] * from_scratch],
    }
    base = str(recipe.get("model") or "")
    if _is_hub_id(base):
        metadata["base_model"] = base
    return msgspec.yaml.encode(metadata | dict(more)).decode()


def learnt_from_world_alone(recipe: Recipe) -> bool:
    """Did training begin with random weights, and show scenes of the built-in world alone?"""
    return not recipe.get("model") and not recipe.get("train") and recipe.get("encoder", "tiny") in RANDOM_ENCODERS


def _index(arm: ArmResult) -> Iterator[dict[str, Any]]:
    for name, column in INDEXED.items():
        if column.figure in arm.figures:
            yield {
                "task": {"type": "visual-question-answering"},
                "dataset": {"name": name, "type": column.figure.partition("/")[0]},
                "metrics": [{"type": "accuracy", "name": column.label, "value": round(arm.figures[column.figure], 2)}],
            }


# ---------------------------------------------------------------------------------------------------------- figures


def _rows(arm: ArmResult, results: Results) -> Iterator[FigureRow]:
    for column in summary.columns():
        if column.figure in arm.figures:
            estimate = summary.estimate(results, arm.system, column.figure)
            shown = estimate and (estimate.bounded or summary.seeds(results) > 1)
            over_seeds = estimate.text(column.headline.digits) if estimate and shown else ""
            yield FigureRow(summary.label(column, results), column.text(arm.figures[column.figure]), over_seeds)


def _absent(arm: ArmResult, results: Results) -> dict[str, str]:
    """Each figure that was not measured, and why."""
    missing = [column for column in summary.columns() if column.figure not in arm.figures]
    return {
        summary.label(column, results): summary.why(results, arm.system, column.metric, column.headline.name)
        for column in missing
    }


# ---------------------------------------------------------------------------------------------------------- training


def _training(results: Results) -> dict[str, Any]:
    """What both cards say of the training."""
    recipe = results.recipe
    return {
        "command": results.command,
        "weights": _name(recipe.get("model")),
        "world": not recipe.get("train"),
        "settings": {name: recipe[name] for name in SETTINGS if recipe.get(name)},
        "families": recipe.get("families", ()),
        "from_scratch": learnt_from_world_alone(recipe),
    }


def _name(model: str | None) -> str:
    """A model in code font: a hub id as it is; of a folder its name alone, since where it was concerns nobody; "" for None."""
    if not model:
        return ""
    return f"`{model if _is_hub_id(model) else Path(model).name}`"


def _is_hub_id(model: str) -> bool:
    return model.count("/") == 1 and not model.startswith((".", "/", "~")) and not Path(model).exists()
