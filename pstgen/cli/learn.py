"""Commands that train and measure models."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from pstgen.cli.shared import Examples, bar, plainly, tracking


@click.group()
def eye() -> None:
    """The models that come with pstgen: train them again, or measure what they see."""


@eye.command("train", cls=Examples, epilog="pstgen eye train --out eye/\npstgen eye train --recipe words --out words/")
@click.option("--recipe", default="eye", help="eye, words, or a YAML file.  [default: eye]")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder of the model; a cut run goes on there."
)
@click.option("--device", default="auto", help="auto, cpu, cuda.  [default: auto]")
@plainly
def eye_train(recipe: str, out: Path, device: str) -> None:
    """Train a small model on the built-in world, by a recipe."""
    from pstgen.eye import recipe as recipes
    from pstgen.eye import training

    told = recipes.read(recipe)
    with bar() as shown:
        task = shown.add_task("training", total=told.look_steps + told.tell_steps + told.steps)

        def log(step: int, figures: dict[str, float]) -> None:
            parts = " ".join(f"{name} {figures[name]:.3f}" for name in ("patches", "align", "words") if name in figures)
            shown.update(task, completed=step + 1, description=parts)

        training.train(told, out, log, device)
    click.echo(f"{out}: trained. Next: pstgen eye measure {out}")


@eye.command("measure", cls=Examples, epilog="pstgen eye measure\npstgen eye measure eye/ --questions 400")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--questions", type=click.IntRange(20), default=400, help="Of every sentence.  [default: 400]")
@click.option("--device", default="auto", help="auto, cpu, cuda.  [default: auto]")
@click.option("--card/--no-card", default=False, help="Write the figures into the model's card.")
@plainly
def eye_measure(folder: Path | None, questions: int, device: str, card: bool) -> None:  # noqa: FBT001 (click's flag)
    """Measure what the eye sees: asked plainly, with a lure, and without the image."""
    from pstgen import resources
    from pstgen.eye import recipe as recipes
    from pstgen.eye import report
    from pstgen.likelihood import Model

    place = folder or resources.model("eye")
    told, model = recipes.of(place), Model(str(place), device)
    figures = report.measure(model, told, questions)
    click.echo(report.table(figures))
    if card:
        command = f"pstgen eye measure --questions {questions}"
        report.card(place, told, figures, model.model.num_parameters(), command)


@click.command(
    "train-eval",
    cls=Examples,
    epilog="pstgen train-eval\n"
    "pstgen train-eval --recipe full --seeds 5 --out runs/full --dry-run\n"
    "pstgen train-eval --systems standard,perceptual_reward --seeds 3 --out runs/two\n"
    "pstgen train-eval --recipe llava --model llava-hf/llava-1.5-7b-hf --train ~/coco --vqa ~/vqa --gqa ~/gqa --pst pst/\n"
    "pstgen train-eval --stage encoder --encoder resnet50 --train ~/coco --out runs/encoder",
)
@click.option("--recipe", "name", default="small", help="small, medium, full, llava, or a YAML file.  [default: small]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/train-eval"), help="Folder of the run.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out; give the same recipe and options.")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    help="How often to train every system, from other random weights each time.  [default: the recipe's]",
)
@click.option("--systems", help="Only these, parted by commas; files in pstgen/systems/.")
@click.option("--stage", type=click.Choice(["all", "encoder"]), default="all", help="encoder: stage 1 alone.")
@click.option("--model", help="LLaVA or Qwen2.5-VL, a folder or a hub id (this downloads), instead of a small one.")
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
@plainly
def train_eval(  # noqa: PLR0913, PLR0917 (click's options)
    name: str, out: Path, resume: bool, systems: str | None, stage: str, vqa: Path | None, gqa: Path | None,  # noqa: FBT001
    pst: Path | None, dry_run: bool, **given: Any,  # noqa: FBT001
) -> None:  # fmt: skip
    """Train a perceptual-reward VLM beside a standard one and all that it claims to beat, examine them, and report."""
    from pstgen import recipe as recipes

    recipe = recipes.read(name, systems=tuple(systems.split(",")) if systems else (), **given)
    from pstgen import course, tables
    from pstgen.evaluate import dry, materials, run  # after the recipe: these take seconds to import

    run.equipped(recipe)
    made = materials.folders(out, pst, vqa, gqa)
    with tracking() as track:
        if dry_run:
            told = dry.weigh(recipe, track)
        else:
            run.claim(recipe, made, out, resume=resume)
            if stage == "encoder":
                folders = run.encoders(recipe, out, made, track)
            else:
                results = run.run(recipe, out, made, f"pstgen {shlex.join(sys.argv[1:])}", track)
    if dry_run:
        tables.costs(told, run.cores())
    elif stage == "encoder":
        click.echo("\n".join(f"{folder}: an encoder, and the heads that read it" for folder in folders))
    else:
        tables.trained(results)
        for file in (out / course.REFUSED, made.course / course.REFUSED):
            if file.is_file():
                click.echo(f"Something was left out: {file} says what, and why.")
        click.echo(f"{out}: report.html, results.json, plots/, and every system's weights with a model card.")
