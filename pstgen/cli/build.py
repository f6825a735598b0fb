"""Commands that build: a stress test, and the prior that it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from pstgen.cli import shared
from pstgen.cli.shared import Completed, Device, Examples, Names, number
from pstgen.cli.terminal import echo
from pstgen.core import bounds, config
from pstgen.core.records import BadInput, Unavailable

if TYPE_CHECKING:
    from pstgen.core.report import Report

DEVICE = ("peak_tflops", "utilization", "rate", "price_hour")  # what a dry run is to know of one


def _frames() -> tuple[str, ...]:
    from pstgen.core import plugins
    from pstgen.questions import wording

    return tuple(sorted({frame for family in plugins.names("families") for frame in wording.frames(family)}))


def _number(option: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option for a number of a build's settings, within the bounds that it has there."""
    name = option.removeprefix("--").replace("-", "_")
    settings = (
        type(getattr(config.BuildConfig(), config.SECTION[name])) if name in config.SECTION else config.BuildConfig
    )
    return click.option(option, type=number(settings, name), help=text)


def _of_device(option: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option for what a dry run is to know of a device."""
    from pstgen.evaluation.dry_run.device import Device as Costs

    return click.option(option, type=number(Costs, option.removeprefix("--").replace("-", "_")), help=text)


def _parted(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Lists that are parted by commas, as one."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def _source(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options about where scenes come from and what the prior rests on."""
    path = click.Path(path_type=Path)
    for option in reversed(
        (
            click.option("--source", type=Names("sources"), help="Where the scenes come from.  [default: coco]"),
            click.option("--root", type=path, help="COCO's folder.  [default: $PSTGEN_COCO_ROOT, the cache]"),
            click.option("--split", type=Completed(lambda: shared.SPLITS), help="COCO's split.  [default: val2017]"),
            click.option(
                "--annotations",
                type=path,
                help="Yours: a COCO-format file; VOC, YOLO, Open Images, a data set of the hub's kind.",
            ),
            click.option("--images", type=path, help="The folder of its pictures.  [default: is looked for]"),
            click.option("--names", type=path, help="YAML, category: noun, where its names are no words."),
            click.option(
                "--licenses",
                type=Completed(lambda: shared.LICENCES),
                multiple=True,
                callback=_parted,
                help="Only pictures with these give items: ids, names, addresses, cc-by, cc0, … parted by commas.",
            ),
            _number("--scenes", "Scenes to draw (world).  [default: 2000]"),
            _number("--size", "Pixels a side (world).  [default: 256]"),
            _number("--typicality", "Typical facts (world).  [default: 0.85]"),
            click.option("--place", type=click.Choice(config.PLACES), help="Of all scenes (world).  [default: any]"),
            _number("--seed", "Same seed and inputs, same bytes.  [default: 0]"),
            click.option("--family", "families", type=Names("families"), multiple=True, help="Only these (several)."),
            click.option("--prior", type=Names("priors"), help="How it is fitted.  [default: counts]"),
            click.option(
                "--prior-split",
                type=Completed(lambda: shared.SPLITS),
                help="COCO's split that feeds the prior, with or without its pictures.  [default: train2017 if annotated]",
            ),
            click.option("--prior-annotations", type=path, help="A COCO-format file that feeds the prior instead."),
            click.option("--prior-file", type=path, help="A prior that `pstgen priors --save` wrote."),
            click.option(
                "--prior-base",
                type=Completed(lambda: shared.BASES),
                help="Counts added to the source's own: coco-2014, world, none.  [default: what fits the source]",
            ),
            _number(
                "--prior-share",
                "Of the scenes, that feed the prior.  [default: 0.2, or 0 if it has pictures of its own]",
            ),
            _number("--workers", "Processes.  [default: one a core]"),
        )
    ):
        command = option(command)
    return command


@click.command(
    short_help="Build a stress test from photographs or the world.",
    cls=Examples,
    epilog="pstgen build --source world --out pst/\n"
    "pstgen build --source coco --root ~/coco --vlm ~/models/smolvlm --out pst/\n"
    "pstgen build --source coco --vlm http://127.0.0.1:8000/v1 --vlm-name NAME --out pst/\n"
    "pstgen build --source coco --lm smollm2 --out pst/\n"
    "pstgen build --annotations mine.json --family count --family colour --out pst/\n"
    "pstgen build --source coco --limit 200 --wordings 4 --out trial/\n"
    "pstgen build --config pst/manifest.json --seed 1 --out pst-1/\n"
    "pstgen build --source coco --vlm ~/models/qwen --dry-run --peak-tflops 400 --price-hour 2\n"
    "pstgen build --source coco --vlm ~/models/qwen --shard 2/8 --out parts/2   # then pstgen merge parts/*",
)
@shared.SETTINGS
@_source
@_number("--limit", "Scenes that give items, at most: for a small trial.")
@click.option(
    "--frame",
    "frames",
    type=Completed(_frames),
    multiple=True,
    help="Word only so (repeatable): neutral, typical, leading, caption, …, or one of your --templates.",
)
@click.option("--templates", type=click.Path(path_type=Path), help="Your own templates, searched first.")
@click.option(
    "--blur-faces/--no-blur-faces", default=None, help="Of people whose heads have joints (photographs).  [default: no]"
)
@click.option("--detector", type=click.Path(path_type=Path), help='ONNX file or folder: a "no" needs its silence.')
@click.option("--depth-model", help="A folder or hub id that estimates depth (photographs).")
@click.option("--twin", "twins", type=Names("twins"), multiple=True, help="Make pairs only so (repeatable).")
@_number("--edited", "Pairs of each kind of edit, at most.  [default: 100]")
@_number("--min-pull", "Nats that words surely add to the lure.  [default: 0]")
@_number("--candidates", "Pairs a family for the judges.  [default: 500]")
@_number("--wordings", "Wordings to try for each pair.  [default: 4]")
@_number("--pairs-per-scene", "Pairs that a scene gives.  [default: 5]")
@_number("--pairs-per-kind", "Of them, about one kind.  [default: 1]")
@_number("--max-family-share", "Of the kept pairs.  [default: 0.6]")
@click.option(
    "--judge",
    "judges",
    type=Names("judges"),
    multiple=True,
    help="Judged by these (repeatable).  [default: prior, text]",
)
@click.option(
    "--vlm",
    help="VLM that must be misled by the words without the image: folder, hub id (downloads), a server's http://HOST:PORT/v1 (several of one model: parted by commas), none.  [default: ours on the world]",
)
@click.option("--vlm-name", help="The name that the server serves it by.")
@click.option("--vlm-revision", help="Of the hub: a commit, tag or branch.")
@click.option("--adapter", help="A folder of peft's that is added to the VLM.")
@click.option(
    "--ask",
    type=click.Choice(("options", "letters", "generate")),
    help="How models are asked: log-probability of the options, of their letters, or free text.  [default: letters where there is a chat template, else options]",
)
@click.option(
    "--lm",
    help="Language model that must be misled by the words: folder, .gguf, hub id (downloads), smollm2, none.  [default: ours on the world]",
)
@click.option("--prior-vqa", type=click.Path(path_type=Path), help="Folder of VQA v2's files: another baseline.")
@click.option("--device", type=Device(), help="auto, cpu, cuda, mps.  [default: auto]")
@click.option("--device-map", help="Spread a large model's weights over devices: auto, balanced, …")
@click.option(
    "--dtype",
    type=Completed(lambda: ("auto", "float32", "bfloat16", "float16")),
    help="Of the models' weights.  [default: auto: bfloat16 on CUDA, else float32]",
)
@click.option("--attention", help="sdpa, eager or flash_attention_2.")
@_number("--batch-size", "Of the models.  [default: 32]")
@_number("--concurrency", "Requests to a server at once.  [default: 8]")
@_number("--timeout", "Of a request, seconds.  [default: 120]")
@_number("--per-second", "Requests a second, at most.")
@_number("--max-requests", "Requests in all, at most.")
@_number("--max-cost", "In all, by the prices.")
@_number("--price-in", "Of a million tokens sent.")
@_number("--price-out", "Of a million tokens received.")
@click.option("--engine", type=Names("engines"), help="What runs the judges.  [default: local]")
@click.option(
    "--ray-address", help="Of a Ray cluster: HOST:PORT or auto.  [default: $RAY_ADDRESS, or Ray on this machine]"
)
@_number("--gpus-per-worker", "Of the engine ray; 0.5 lets two share one.  [default: 1 if there are any]")
@shared.RESUME
@click.option("--out", type=click.Path(path_type=Path), help="The dataset's folder.  [default: pst]")
@click.option("--shard", help="Let models judge this share of the pairs alone, such as 2/8, for pstgen merge.")
@click.option(
    "--dry-run", "dry", is_flag=True, help="Say what it would do and cost: no model is opened, nothing written."
)
@_of_device("--peak-tflops", "Of one device, for --dry-run.")
@_of_device("--utilization", "Of that, the share that is reached.  [default: 0.3]")
@_of_device("--rate", "Questions a second of one device, for --dry-run.")
@_of_device("--price-hour", "Of one device, for --dry-run.")
@click.option("--print-config", is_flag=True, help="Print every setting as --config takes it, and end.")
@shared.JSON
def build(
    file: Path | None, *, shard: str | None, dry: bool, print_config: bool, as_json: bool, **options: Any
) -> None:
    """Build a Perception Stress Test: pairs of images that share a question whose words mislead.

    \b
    What takes time is the judges: candidates x wordings, not scenes. A killed
    build leaves nothing; the same command takes the models' verdicts from the
    cache. Exit codes: pstgen --help.
    """  # noqa: D301 (click keeps the lines after a backspace)
    from pstgen.build import build as build_set
    from pstgen.build import with_defaults

    device = {name: options.pop(name) for name in DEVICE}
    given = config.read(file, options, config.BuildConfig)
    settings = with_defaults(given)
    if print_config:
        echo(config.as_yaml(settings).rstrip())
        return
    _hints(given, settings)
    if dry:
        _foreseen(settings, device, shard, as_json=as_json)
        return
    if stray := [name for name, value in device.items() if value is not None]:
        raise BadInput(f"--{stray[0].replace('_', '-')} goes with --dry-run")
    if shard:
        _part(settings, shard)
        return
    with shared.tracking() as progress, shared.if_interrupted("nothing was written"):
        report = build_set(settings, progress)
    _built(settings.out, report, as_json=as_json)


def _foreseen(
    settings: config.BuildConfig, device: Mapping[str, float | None], shard: str | None, *, as_json: bool
) -> None:
    """Print what a build would do and cost."""
    from pstgen.build import dry_run
    from pstgen.cli import build_plan
    from pstgen.evaluation.dry_run import device as devices

    if shard:
        raise BadInput(
            "--dry-run is of a whole build; leave --shard out: of n parts, each asks about an nth of the pairs"
        )
    with shared.tracking() as progress, shared.if_interrupted("nothing was written"):
        plan = dry_run(settings, progress, devices.Device(**device))
    shared.emit(msgspec.to_builtins(plan)) if as_json else build_plan.show(plan)


def _part(settings: config.BuildConfig, typed: str) -> None:
    from pstgen import shards
    from pstgen.dataset import parts

    shard = parts.shard(typed)
    with shared.tracking() as progress, shared.if_interrupted("nothing was written"):
        verdicts = shards.build_part(settings, shard, progress)
    echo(
        f"{settings.out}: part {shard}, {verdicts:,} verdicts of models. Next: pstgen merge, with all {shard.of} parts"
    )


@click.command(
    short_help="Make the set of a build that was shared out.",
    cls=Examples,
    epilog="pstgen merge parts/* --out pst/",
)
@click.argument("parts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("pst"), help="The dataset's folder.  [default: pst]"
)
@shared.JSON
def merge(parts: tuple[Path, ...], out: Path, *, as_json: bool) -> None:
    """Make one set of all parts that `pstgen build --shard` wrote: the bytes are those of one build.

    The settings are those of the parts; sources and models are read again from where they were, and models are asked what
    they were not asked in any part, as a rule nothing.
    """
    from pstgen import shards

    with shared.tracking() as progress, shared.if_interrupted("nothing was written"):
        settings, report, new = shards.merge(parts, out, progress)
    shared.say(f"{new:,} verdicts of models were in no part, and were asked for")
    _built(settings.out, report, as_json=as_json)


def _built(out: Path, report: Report, *, as_json: bool) -> None:
    """Print what was built, and what became of everything else."""
    from pstgen.cli import judge_tables, tables
    from pstgen.dataset import judged, store

    pairs = report.stations["kept"].total()
    with shared.if_interrupted(f"{out} is built and whole"):
        if as_json:
            seal = store.open(out).manifest.seal
            made = {"out": out, "pairs": pairs, "hash": seal, "funnel": report.stations}
            shared.emit({**made, **tables.left_out(report)})
            return
        tables.funnel(report, None if shared.meta("verbose") else tables.COMMONEST)
        dataset = store.open(out)
        judge_tables.judges(judged.of_dataset(dataset))
        echo(f"{out}: {pairs:,} pairs, hash {dataset.manifest.seal}. Next: pstgen verify {out}")


def _hints(given: config.BuildConfig, settings: config.BuildConfig) -> None:
    """Say what was decided that the user may want otherwise."""
    if settings.source.name != given.source.name:
        shared.say(
            "No photographs found: building on the built-in world. "
            "For photographs: --root DIR, $PSTGEN_COCO_ROOT, or `pstgen fetch coco`."
        )
    if not settings.judges.vlm and given.judges.vlm != "none" and settings.source.name != "world":
        shared.say(
            "No --vlm: the text baselines judge alone. `--vlm DIR-OR-HUB-ID` adds a VLM that sees no image; `--vlm none` is silent."
        )


@click.command(
    short_help="Show what the source's words make one expect.",
    cls=Examples,
    epilog="pstgen priors --source world\npstgen priors --source coco --family colour --most 20\n"
    "pstgen priors --annotations mine.json --prior-share 0.95 --save prior.json",
)
@shared.SETTINGS
@_source
@click.option("--most", type=click.IntRange(1, bounds.MOST), default=8, help="Of each sentence.  [default: 8]")
@click.option(
    "--least", type=click.IntRange(1, bounds.MOST), default=5, help="Times that a question was answered.  [default: 5]"
)
@click.option("--save", type=click.Path(path_type=Path), help="Write the fitted prior here, for --prior-file.")
@shared.JSON
def priors(file: Path | None, *, most: int, least: int, save: Path | None, as_json: bool, **options: Any) -> None:
    """Show the source's strongest priors: what the words lead one to expect before looking, with counts."""
    from pstgen.build import prior_alone, with_defaults
    from pstgen.cli import tables
    from pstgen.questions import prior_file, prior_scenes

    settings = with_defaults(config.read(file, options, config.BuildConfig))
    if save and not save.absolute().parent.is_dir():
        raise Unavailable(f"{save}: cannot be written: there is no folder {save.absolute().parent}")
    with shared.tracking() as progress, shared.if_interrupted("nothing was written"):
        expectation, observed, share = prior_alone(settings, progress)
    if save:
        prior_file.write(save, observed.tally, observed.scenes, prior_scenes.fitted_on(settings, share))
        shared.say(f"{save}: a prior from {observed.scenes:,} scenes. Next: pstgen build --prior-file {save}")
    rows = expectation.strongest(least)
    if as_json:
        names = ("family", "form", "about", "answer", "times", "of", "added")
        shared.emit(
            [
                dict(zip(names, (*question, *counted, added._asdict()), strict=True))
                for question, *counted, added in rows
            ]
        )
        return
    tables.priors(rows, most)
    if not rows:
        echo(
            f"No question was answered {least} times or more in {observed.scenes:,} scenes: a lower --least shows the rest."
        )


@click.command(
    short_help="Show what a source holds and what can be asked of it.",
    cls=Examples,
    epilog="pstgen inspect --source coco --root ~/coco\npstgen inspect --annotations mine.json --images photos/\n"
    "pstgen inspect --annotations mine.json --names names.yaml --json",
)
@shared.SETTINGS
@_source
@_number("--limit", "Scenes that are looked at, at most.  [default: 500]")
@shared.JSON
def inspect(file: Path | None, *, as_json: bool, **options: Any) -> None:
    """Look at a source before a build: pictures, boxes, masks, joints, captions, names, and what each family can ask."""
    from pstgen.build import with_defaults
    from pstgen.cli import inspect_tables
    from pstgen.cli.inspection import inspect as look

    settings = with_defaults(config.read(file, options, config.BuildConfig))
    with shared.tracking() as progress, shared.if_interrupted("nothing was written"):
        found = look(settings, progress)
    if as_json:
        shared.emit(msgspec.to_builtins(found))
    else:
        inspect_tables.show(found)
