"""The commands: they parse, call one function, and print."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import click

from pstgen import __version__, config, plugins
from pstgen.records import BadInput, Unavailable

if TYPE_CHECKING:
    from pstgen.build import Track

NOT_SOUND, USAGE, ENVIRONMENT = 1, 2, 3

P = ParamSpec("P")
T = TypeVar("T")


class Names(click.ParamType):  # type: ignore[type-arg]
    """A plug-in's name; the folder is read only when `--help` or a value asks for it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.name = "name"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """Every name there is."""
        return "[" + "|".join(plugins.names(self.folder)) + "]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a name that there is."""
        if value not in plugins.names(self.folder):
            self.fail(f"no {value!r}; there are: {', '.join(plugins.names(self.folder))}", param, ctx)
        return value


def plainly(command: Callable[P, T]) -> Callable[P, T]:
    """Turn a user's mistake (exit 2) and a failing environment (exit 3) into one line each."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except BadInput as error:
            _stop(str(error), USAGE)
        except Unavailable as error:
            _stop(str(error), ENVIRONMENT)
        except KeyboardInterrupt:
            _stop("interrupted; nothing half made was left", 130)

    return wrapped


def _stop(line: str, code: int) -> NoReturn:
    click.echo(f"pstgen: {line}", err=True)
    sys.exit(code)


class Examples(click.Command):
    """A command whose help ends with examples, as they are typed."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Keep the lines as they are."""
        if self.epilog:
            formatter.write("\nExamples:\n" + "".join(f"  {line}\n" for line in self.epilog.splitlines()))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="pstgen")
def main() -> None:
    """Build, verify and learn from Perception Stress Tests: does a model see, or does it guess?"""


SETTINGS = click.option("--config", "file", type=click.Path(path_type=Path), help="YAML file of the same settings.")


@main.command(
    cls=Examples,
    epilog="pstgen build --source world --out pst/\n"
    "pstgen build --source coco --root ~/coco --split val2017 --vlm ~/models/smolvlm --out pst/\n"
    "pstgen build --annotations mine/instances.json --family count --family colour --out pst/",
)
@SETTINGS
@click.option("--source", type=Names("sources"), help="Where the scenes come from.  [default: coco]")
@click.option("--root", type=click.Path(path_type=Path), help="COCO's folder.  [default: $PSTGEN_COCO_ROOT, the cache]")
@click.option("--split", help="COCO's split.  [default: val2017]")
@click.option("--annotations", type=click.Path(path_type=Path), help="A COCO-format file of your own.")
@click.option("--scenes", type=click.IntRange(2), help="How many scenes to draw (world).  [default: 2000]")
@click.option("--size", type=click.IntRange(64, 512), help="Side of a scene in pixels (world).  [default: 128]")
@click.option("--typicality", type=click.FloatRange(0, 1), help="Share of typical facts (world).  [default: 0.85]")
@click.option("--seed", type=int, help="Same seed and inputs, same bytes.  [default: 0]")
@click.option("--family", "families", type=Names("families"), multiple=True, help="Ask only these (repeatable).")
@click.option("--frame", "frames", multiple=True, help="Word only so (repeatable): neutral, caption, majority, …")
@click.option("--templates", type=click.Path(path_type=Path), help="Your own templates, searched first.")
@click.option("--detector", type=click.Path(path_type=Path), help='ONNX file or folder: a "no" needs its silence.')
@click.option("--depth-model", help="A folder or hub id that estimates depth (photographs).")
@click.option("--prior-split", help="COCO's split that feeds the prior.  [default: train2017 where it is]")
@click.option("--prior-share", type=click.FloatRange(0.05, 0.95), help="Of scenes kept for the prior.  [default: 0.2]")
@click.option("--twin", "twins", type=Names("twins"), multiple=True, help="Make pairs only so (repeatable).")
@click.option("--edited", type=click.IntRange(0), help="Pairs of each kind of edit, at most.  [default: 100]")
@click.option("--min-pull", type=click.FloatRange(0, 1), help="P(lure) - P(answer) a pair needs.  [default: 0]")
@click.option("--candidates", type=click.IntRange(1), help="Pairs a family for the judges.  [default: 300]")
@click.option("--wordings", type=click.IntRange(1), help="Wordings to try for each pair.  [default: 12]")
@click.option("--max-family-share", type=click.FloatRange(0.05, 1), help="Of the kept pairs.  [default: 0.6]")
@click.option("--vlm", help="A VLM in the loop: a folder, a hub id (this downloads), none.  [default on world: ours]")
@click.option("--lm", help="A language model that must fall for the words: likewise.  [default on world: ours]")
@click.option("--prior-vqa", type=click.Path(path_type=Path), help="Folder of VQA v2's files: one more baseline.")
@click.option("--device", help="auto, cpu, cuda, mps.  [default: auto]")
@click.option("--batch-size", type=click.IntRange(1), help="Of the models.  [default: 32]")
@click.option("--out", type=click.Path(path_type=Path), help="The dataset's folder.  [default: pst]")
@plainly
def build(file: Path | None, **options: Any) -> None:
    """Build a Perception Stress Test: pairs of images that share a question whose words mislead."""
    from pstgen import build as road
    from pstgen import tables

    asked = config.read(file, options, config.BuildConfig)
    settings = road.settled(asked)
    if settings.source != asked.source:
        click.echo(
            "No photographs found: building on the built-in world. "
            "For photographs: --root DIR, $PSTGEN_COCO_ROOT, or `pstgen fetch coco`."
        )
    if not settings.vlm:
        click.echo("No --vlm: the text baselines judge alone. For photographs a VLM must be named.")
    with _tracking() as track:
        report = road.build(settings, track)
    tables.funnel(report)
    click.echo(f"{settings.out}: {sum(report.stations['kept'].values())} pairs. Next: pstgen verify {settings.out}")


@main.command(
    cls=Examples, epilog="pstgen priors --source world\npstgen priors --source coco --family colour --most 20"
)
@SETTINGS
@click.option("--source", type=Names("sources"), help="Where the scenes come from.  [default: coco]")
@click.option("--root", type=click.Path(path_type=Path), help="COCO's folder.  [default: $PSTGEN_COCO_ROOT, the cache]")
@click.option("--split", help="COCO's split.  [default: val2017]")
@click.option("--scenes", type=click.IntRange(2), help="How many scenes to draw (world).  [default: 2000]")
@click.option("--family", "families", type=Names("families"), multiple=True, help="Only these (repeatable).")
@click.option("--most", type=click.IntRange(1), default=8, help="Of each sentence.  [default: 8]")
@click.option("--least", type=click.IntRange(1), default=5, help="Times that a question was answered.  [default: 5]")
@plainly
def priors(file: Path | None, most: int, least: int, **options: Any) -> None:
    """Show what the source makes one expect before looking: the strongest priors, with counts."""
    from pstgen import build as road
    from pstgen import tables

    settings = road.settled(config.read(file, options, config.BuildConfig))
    with _tracking() as track:
        expectation = road.expect(settings, track)
    tables.priors(expectation.strongest(least), most)


@main.command(cls=Examples, epilog="pstgen verify pst/\npstgen verify pst/ --seed 7")
@SETTINGS
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--seed", type=int, help="Of the attackers' folds.  [default: 0]")
@plainly
def verify(file: Path | None, **options: Any) -> None:
    """Verify a dataset: bytes, pairs, labels, targets, and that language alone does not win.

    Exit code: 0 sound, 1 not sound, 2 usage, 3 environment.
    """
    from rich.console import Console

    from pstgen import tables
    from pstgen import verify as station

    settings = config.read(file, options, config.VerifyConfig)
    with Console(stderr=True).status("verifying") as status:
        findings = station.verify(settings, lambda check: status.update(f"checking {check}"))
    tables.findings(findings)
    if not all(finding.sound for finding in findings):
        click.echo(f"{settings.folder}: NOT SOUND", err=True)
        sys.exit(NOT_SOUND)
    click.echo(f"{settings.folder}: sound; {settings.folder / 'certificate.json'}")


@main.command(
    cls=Examples,
    epilog="pstgen attack coco_pope_popular.json --format pope\npstgen attack MMBench.tsv --format vlmevalkit_tsv\n"
    "pstgen attack pst/ --format hf",
)
@SETTINGS
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "form", type=Names("readers"), required=True, help="Of the benchmark's file or folder.")
@click.option("--seed", type=int, help="Of the folds.  [default: 0]")
@plainly
def attack(file: Path | None, path: Path, form: str, **options: Any) -> None:
    """Attack any benchmark by its words alone: what does one reach who never sees an image?"""
    from pstgen import attack as station
    from pstgen import tables

    told = plugins.load("readers", form).read(path)
    if not told:
        raise BadInput(f"{path}: holds no question that an attacker could answer")
    settings = config.read(file, options, config.VerifyConfig)
    with _tracking() as track:
        reached = list(track(station.run(told, settings), "attacking"))
    tables.attacks(reached, len(told))


@main.command(
    cls=Examples,
    epilog="pstgen show pst/\npstgen show pst/ count-0f3a5d1c2b77 --picture pair.png\n"
    "pstgen show pst/ --most 24 --html pairs.html",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1)
@click.option("--most", type=click.IntRange(1), default=3, help="Pairs to show where none is named.  [default: 3]")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw them here (PNG).")
@click.option("--html", "web", type=click.Path(path_type=Path), help="Write them as a page here.")
@plainly
def show(folder: Path, names: tuple[str, ...], most: int, picture: Path | None, web: Path | None) -> None:
    """Show pairs, by their own or an item's name: the question, the answers, the evidence, what every judge said."""
    from pstgen import drawn, store, tables
    from pstgen.exporters import page, sheet

    dataset = store.open(folder)
    found = drawn.pick(dataset, most, names)
    if missing := [name for name in names if not any(name.startswith(twins[0].item.pair_id) for twins in found)]:
        raise BadInput(f"{folder}: has no {', '.join(sorted(missing))}; pair_id and item_id are their names")
    if not found:
        raise BadInput(f"{folder}: holds no pair")
    shown = {twins[0].item.pair_id for twins in found}
    said = [score for score in dataset.scores() if score.kept and score.pair_id in shown]
    for twins in found:
        tables.pair(twins, [score for score in said if score.pair_id == twins[0].item.pair_id])
    if not names:
        widest = sorted(dataset.manifest.funnel.items(), key=lambda station: -sum(station[1].values()))
        tables.stations(dict(widest))  # the manifest has them by name; a funnel narrows
    try:
        if picture:
            sheet.sheet(found, columns=3).save(picture, format="PNG")
            click.echo(f"{picture}: {len(found)} pairs drawn")
        if web:
            web.write_text(page.page(found, said), encoding="utf-8")
            click.echo(f"{web}: {len(found)} pairs written")
    except OSError as error:
        raise Unavailable(f"{error.filename or picture or web}: cannot be written: {error.strerror}") from None


@main.command(
    cls=Examples, epilog="pstgen fetch coco\npstgen fetch coco --split train2017 --mirror http://localhost:8000"
)
@SETTINGS
@click.argument("what", required=False)
@click.option("--split", help="COCO's split.  [default: val2017]")
@click.option("--mirror", help="Address to use instead of the official one.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where to keep it.")
@plainly
def fetch(file: Path | None, **options: Any) -> None:
    """Download photographs: resumable, checked. The only command that touches the network unasked-for."""
    from pstgen import fetch as station

    settings = config.read(file, options, config.FetchConfig)
    with _bar("download") as bar:
        tasks: dict[str, Any] = {}

        def progress(done: int, total: int, name: str) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done)

        folder = station.fetch(settings, progress)
    click.echo(f"{folder}: ready. Next: pstgen build --source coco --split {settings.split}")


@main.command(cls=Examples, epilog="pstgen world --n 2000 --out world/\npstgen world --n 200 --size 256 --typicality 0")
@SETTINGS
@click.option("--n", type=click.IntRange(1), help="How many scenes.  [default: 2000]")
@click.option("--size", type=click.IntRange(64, 512), help="Side of a scene in pixels.  [default: 128]")
@click.option("--typicality", type=click.FloatRange(0, 1), help="Share of typical facts.  [default: 0.85]")
@click.option("--seed", type=int, help="Same seed, same bytes.  [default: 0]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.  [default: world]")
@plainly
def world(file: Path | None, **options: Any) -> None:
    """Write the built-in world in COCO's format: images, masks, keypoints, captions, depth."""
    from pstgen import store
    from pstgen.world import files

    settings = config.read(file, options, config.WorldConfig)
    with store.create(settings.out) as folder, _tracking() as track:
        files.write(settings, folder, track)
    click.echo(f"{settings.out}: {settings.n} scenes. Next: pstgen build --root {settings.out} --split world")


@main.group()
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
    with _bar() as bar:
        task = bar.add_task("training", total=told.look_steps + told.tell_steps + told.steps)

        def log(step: int, figures: dict[str, float]) -> None:
            parts = " ".join(f"{name} {figures[name]:.3f}" for name in ("patches", "align", "words") if name in figures)
            bar.update(task, completed=step + 1, description=parts)

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


@main.command("train-eval")
def train_eval() -> None:
    """Train and evaluate a perceptual-reward VLM (not built yet: see the roadmap in README.md)."""
    click.echo("train-eval is not built yet: issue 6 of the roadmap in README.md brings it.", err=True)
    sys.exit(ENVIRONMENT)


def _bar(of: str = "things") -> Any:
    from rich import progress
    from rich.console import Console

    amount = progress.DownloadColumn() if of == "download" else progress.MofNCompleteColumn()
    columns = progress.TextColumn("{task.description:<24}"), progress.BarColumn(), amount, progress.TimeElapsedColumn()
    return progress.Progress(*columns, console=Console(stderr=True))


@contextmanager
def _tracking() -> Iterator[Track]:
    """Give a function that shows a bar for as long as things pass; what comes again goes on in its own bar."""
    with _bar() as bar:
        tasks: dict[str, Any] = {}

        def track(things: Iterable[T], what: str, total: int | None = None, /) -> Iterator[T]:
            if what in tasks:
                bar.update(tasks[what], total=(bar.tasks[tasks[what]].total or 0) + (total or 0))
            else:
                tasks[what] = bar.add_task(what, total=total)
            for thing in things:
                yield thing
                bar.advance(tasks[what])

        yield track
