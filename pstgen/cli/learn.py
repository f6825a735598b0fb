"""Commands that train and measure models."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pstgen.cli.shared import ENVIRONMENT, Examples, bar, plainly


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


@click.command("train-eval")
def train_eval() -> None:
    """Train and evaluate a perceptual-reward VLM (not built yet: see the roadmap in README.md)."""
    click.echo("train-eval is not built yet: issue 6 of the roadmap in README.md brings it.", err=True)
    sys.exit(ENVIRONMENT)
