"""Commands that make things: datasets, pictures of them, the world, downloads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pstgen import config
from pstgen.cli.shared import SETTINGS, Examples, Names, bar, plainly, tracking
from pstgen.records import BadInput, Unavailable


@click.command(
    cls=Examples,
    epilog="pstgen build --source world --out pst/\n"
    "pstgen build --source coco --root ~/coco --split val2017 --vlm ~/models/smolvlm --out pst/\n"
    "pstgen build --annotations mine/instances.json --family count --family colour --out pst/",
)
@SETTINGS
@click.option("--source", type=Names("sources"), help="Where the scenes come from.  [default: coco]")
@click.option("--root", type=click.Path(path_type=Path), help="COCO's folder.  [default: $PSTGEN_COCO_ROOT, the cache]")
@click.option("--split", help="COCO's split.  [default: val2017]")
@click.option(
    "--annotations",
    type=click.Path(path_type=Path),
    help="A COCO-format file of your own, instead of --root and --split.",
)
@click.option("--scenes", type=click.IntRange(2), help="How many scenes to draw (world).  [default: 2000]")
@click.option("--size", type=click.IntRange(64, 512), help="Side of a scene in pixels (world).  [default: 128]")
@click.option("--typicality", type=click.FloatRange(0, 1), help="Share of typical facts (world).  [default: 0.85]")
@click.option("--seed", type=int, help="Same seed and inputs, same bytes.  [default: 0]")
@click.option("--family", "families", type=Names("families"), multiple=True, help="Ask only these (repeatable).")
@click.option(
    "--frame",
    "frames",
    multiple=True,
    help="Word only so (repeatable): neutral, typical, leading, presupposition, caption, bystander, majority, label, or yours.",
)
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
@click.option(
    "--vlm",
    help="VLM that must fall for the words without the image: folder, hub id (downloads), none.  [default: ours on the world, else none]",
)
@click.option(
    "--lm",
    help="Language model that must fall for the words: folder, hub id (downloads), none.  [default: ours on the world, else none]",
)
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
    with tracking() as track:
        report = road.build(settings, track)
    tables.funnel(report)
    click.echo(f"{settings.out}: {sum(report.stations['kept'].values())} pairs. Next: pstgen verify {settings.out}")


@click.command(
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
    with tracking() as track:
        expectation = road.expect(settings, track)
    tables.priors(expectation.strongest(least), most)


@click.command(
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


@click.command(
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
    with bar("download") as shown:
        tasks: dict[str, Any] = {}

        def progress(done: int, total: int, name: str) -> None:
            if name not in tasks:
                tasks[name] = shown.add_task(name, total=total)
            shown.update(tasks[name], completed=done)

        folder = station.fetch(settings, progress)
    click.echo(f"{folder}: ready. Next: pstgen build --source coco --split {settings.split}")


@click.command(
    cls=Examples, epilog="pstgen world --n 2000 --out world/\npstgen world --n 200 --size 256 --typicality 0"
)
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
    with store.create(settings.out) as folder, tracking() as track:
        files.write(settings, folder, track)
    click.echo(f"{settings.out}: {settings.n} scenes. Next: pstgen build --root {settings.out} --split world")
