"""Commands that train and measure models."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pstgen.cli.shared import Completed, Device, Examples, if_interrupted, number, tracking
from pstgen.cli.terminal import echo
from pstgen.core import bounds, plugins
from pstgen.training.recipe import Recipe, read, read_world

if TYPE_CHECKING:
    from pstgen.training.eye.measure import Figure


LOG = logging.getLogger("pstgen")
RECIPES = ("small", "medium", "twelve", "full", "driving", "llava", "qwen")


@click.group(short_help="The models that come with pstgen: train, measure.")
def eye() -> None:
    """The models that come with pstgen: train them again, or measure what they see."""


@eye.command("train", cls=Examples, epilog="pstgen eye train --out eye/\npstgen eye train --recipe words --out words/")
@click.option("--recipe", default="eye", help="eye, words, or a YAML file.  [default: eye]")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder of the model; a cut run goes on there."
)
@click.option("--device", type=Device(), default="auto", help="auto, cpu, cuda.  [default: auto]")
def eye_train(recipe: str, out: Path, device: str) -> None:
    """Train a small model on the built-in world, by a recipe."""
    chosen = read_world(recipe)
    from pstgen.training import world_models  # after the recipe: it takes seconds to import

    steps = chosen.look_steps + chosen.tell_steps + chosen.steps
    with tracking() as progress, if_interrupted("the same command goes on from the last checkpoint"):

        def log(step: int, figures: dict[str, float]) -> None:
            progress.reach("training", step + 1, steps)
            LOG.info("step %d: %s", step + 1, ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))

        world_models.train(chosen, out, log, device)
    echo(f"{out}: trained. Next: pstgen eye measure {out}")


@eye.command("measure", cls=Examples, epilog="pstgen eye measure\npstgen eye measure eye/ --questions 400")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--questions", type=click.IntRange(20, bounds.MOST), default=400, help="Of every sentence.  [default: 400]"
)
@click.option("--device", type=Device(), default="auto", help="auto, cpu, cuda.  [default: auto]")
@click.option("--card/--no-card", "write_card", default=False, help="Write the figures into the model's card.")
def eye_measure(folder: Path | None, questions: int, device: str, write_card: bool) -> None:  # noqa: FBT001 (click's flag)
    """Measure what the eye sees: asked with a lure, and without the image."""
    from pstgen.core import resources
    from pstgen.models.huggingface import Model
    from pstgen.training.eye import card, measure
    from pstgen.training.recipe import of_model

    place = folder or resources.model_folder("eye")
    recipe, model = of_model(place), Model(str(place), device)
    figures = measure.measure(model, recipe, questions)
    _print(figures)
    if write_card:
        command = f"pstgen eye measure --questions {questions}"
        card.write(place, recipe, figures, model.model.num_parameters(), command)


def _print(figures: Sequence[Figure]) -> None:
    """What the eye sees: families, and the sentences of each below it."""
    from pstgen.cli.console import Console, empty_table, styled
    from pstgen.training.eye.measure import WAYS, with_families

    headers = ("family, sentence", "questions", "chance", *WAYS)
    title = "right answers in %, with 95 % intervals"
    table = empty_table(*headers, title=title, gap=1)
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for row in with_families(figures):
        cells = (_share(getattr(row, way), row.questions) for way in WAYS)
        name = f" {row.form}" if row.form else styled((row.family, "bold"))
        table.add_row(name, f"{row.questions:,}", f"{100 * row.chance:.0f}", *cells)
    Console().print(table)


def _share(right: int, questions: int) -> str:
    """Percent, and between which two it lies."""
    from pstgen.training.eye.measure import interval

    low, high = interval(right, questions)
    return f"{100 * right / questions:.1f} ({100 * low:.0f}-{100 * high:.0f})"


@click.command(
    "train-eval",
    short_help="Train a VLM with a perceptual reward; examine it.",
    cls=Examples,
    epilog="pstgen train-eval\n"
    "pstgen train-eval --recipe full --seeds 5 --out runs/full --dry-run\n"
    "pstgen train-eval --systems standard,perceptual_reward --seeds 3 --out runs/two\n"
    "pstgen train-eval --recipe llava --model llava-hf/llava-1.5-7b-hf --train ~/coco --vqa ~/vqa --gqa ~/gqa --pst pst/\n"
    "pstgen train-eval --stage encoder --encoder resnet50 --train ~/coco --out runs/encoder",
)
@click.option(
    "--recipe",
    "name",
    type=Completed(lambda: RECIPES),
    default="small",
    help="small, medium, twelve, full, driving, llava, qwen, or a YAML file.  [default: small]",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/train-eval"), help="Folder of the run.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out; give the same recipe and options.")
@click.option(
    "--seeds",
    type=number(Recipe, "seeds"),
    help="How often to train every system, from other random weights each time.  [default: the recipe's]",
)
@click.option(
    "--systems",
    type=Completed(lambda: plugins.names("systems")),
    help="Only these, parted by commas; files in pstgen/training/systems/.",
)
@click.option("--stage", type=click.Choice(["all", "encoder"]), default="all", help="encoder: stage 1 alone.")
@click.option(
    "--model",
    help="LLaVA, Qwen2.5-VL, Qwen3-VL or InternVL, a folder or a hub id (this downloads), instead of a small one.",
)
@click.option("--encoder", help="Of stage 1: tiny, vit-b16, resnet50, a folder or a hub id.")
@click.option("--train", type=click.Path(path_type=Path), help="COCO's folder to learn from, instead of the world.")
@click.option(
    "--vqa",
    type=click.Path(path_type=Path),
    help="Folder of VQA v2: one *questions.json, one *annotations.json, images/ (docs/training.md).",
)
@click.option(
    "--gqa",
    type=click.Path(path_type=Path),
    help="Folder of GQA: one file of questions such as val_balanced_questions.json, images/ (docs/training.md).",
)
@click.option("--pst", type=click.Path(path_type=Path), help="A stress test that was built, instead of the world's.")
@click.option("--dry-run", is_flag=True, help="Say what it would cost; train nothing.")
def train_eval(  # noqa: PLR0913, PLR0917 (click's options)
    name: str, out: Path, resume: bool, systems: str | None, stage: str, vqa: Path | None, gqa: Path | None,  # noqa: FBT001
    pst: Path | None, dry_run: bool, **changes: Any,  # noqa: FBT001
) -> None:  # fmt: skip
    """Train a perceptual-reward VLM beside a standard one and all that it claims to beat, examine them, and report."""
    recipe = read(name, systems=tuple(systems.split(",")) if systems else (), **changes)
    from pstgen import train_eval  # after the recipe: these take seconds to import
    from pstgen.cli import tables
    from pstgen.evaluation import data

    train_eval.check_possible(recipe)
    paths, encoders_alone = data.paths(out, pst, vqa, gqa), stage == "encoder"
    with tracking() as progress, if_interrupted("the same command with --resume goes on from the last checkpoints"):
        if dry_run:
            estimate = train_eval.dry_run(recipe, paths, out, progress, encoders_alone=encoders_alone)
        else:
            train_eval.begin(recipe, paths, out, resume=resume)
            if encoders_alone:
                folders = train_eval.train_encoders(recipe, out, paths, progress)
            else:
                results = train_eval.run(recipe, out, paths, f"pstgen {shlex.join(sys.argv[1:])}", progress)
    if dry_run:
        tables.costs(estimate)
    elif encoders_alone:
        echo("\n".join(f"{folder}: an encoder, and the heads that read it" for folder in folders))
    else:
        tables.trained(results)
        _point_to_refused(out, paths.examples)
        echo(f"{out}: report.html, results.json, plots/, and every system's weights with a model card.")


def _point_to_refused(*folders: Path) -> None:
    """Name the files that say what was left out."""
    from pstgen.training.examples import REFUSED

    for file in (folder / REFUSED for folder in folders):
        if file.is_file():
            echo(f"Something was left out: {file} says what, and why.")
