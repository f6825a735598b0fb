"""Commands about what is there: show and export a dataset, download photographs, write the built-in world."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from pstgen.cli.shared import (
    SETTINGS,
    SPLITS,
    Completed,
    Examples,
    Names,
    if_interrupted,
    number,
    say,
    tracking,
)
from pstgen.cli.terminal import echo
from pstgen.core import bounds, config
from pstgen.core.records import BadInput, Unavailable
from pstgen.dataset.damage import readable

if TYPE_CHECKING:
    from pstgen.core.records import Score
    from pstgen.dataset.sampling import PairRows
    from pstgen.dataset.store import Dataset


def _fetchable() -> tuple[str, ...]:
    from pstgen.scenes import download

    return download.available()


@click.command(
    short_help="Show pairs as text, a picture or a page.",
    cls=Examples,
    epilog="pstgen show pst/\npstgen show pst/ count-0f3a5d1c2b77 --picture pair.png\n"
    "pstgen show pst/ --most 24 --html pairs.html",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1)
@click.option(
    "--most", type=click.IntRange(1, bounds.MOST), default=3, help="Pairs to show where none is named.  [default: 3]"
)
@click.option("--picture", type=click.Path(path_type=Path), help="Draw them here (PNG).")
@click.option("--html", "web", type=click.Path(path_type=Path), help="Write them as a page here.")
def show(folder: Path, names: tuple[str, ...], most: int, picture: Path | None, web: Path | None) -> None:
    """Show pairs, by their own or an item's name: the question, the answers, the evidence, what every judge said."""
    from pstgen.cli import tables
    from pstgen.dataset.exporters import page, sheet

    dataset, pairs, scores = _read(folder, most, names)
    for rows in pairs:
        tables.pair(rows, [score for score in scores if score.pair_id == rows.pair.pair_id])
    if not names:
        widest = sorted(dataset.manifest.funnel.items(), key=lambda station: -sum(station[1].values()))
        tables.stations(dict(widest))  # the manifest has them by name; a funnel narrows
    try:
        if picture:
            with readable(folder):
                drawn = sheet.sheet(pairs, columns=3)
            drawn.save(picture, format="PNG")
            echo(f"{picture}: {len(pairs)} pairs drawn")
        if web:
            with readable(folder):
                text = page.page(pairs, scores)
            web.write_text(text, encoding="utf-8")
            echo(f"{web}: {len(pairs)} pairs written")
    except OSError as error:
        raise Unavailable(f"{error.filename or picture or web}: cannot be written: {error.strerror}") from None


def _read(folder: Path, most: int, names: Sequence[str]) -> tuple[Dataset, list[PairRows], list[Score]]:
    """The set, the pairs to show, and what judges said of them. Raises BadInput where one is not there, or is damaged."""
    from pstgen.dataset import sampling, store

    with readable(folder):
        dataset = store.open(folder)
        pairs = sampling.pick(dataset, most, names)
        others = sampling.pick(dataset, 3) if names else []
        shown = {rows.pair.pair_id for rows in pairs}
        scores = [score for score in dataset.scores() if score.kept and score.pair_id in shown]
        for record in (*scores, *(row.item for rows in pairs for row in rows.rows)):
            msgspec.convert(msgspec.to_builtins(record), type(record))  # are its cells of the right kinds?
    if missing := [name for name in names if not any(name.startswith(rows.pair.pair_id) for rows in pairs)]:
        examples = ", ".join(rows.pair.pair_id for rows in others)
        raise BadInput(f"{folder}: has no pair or item {', '.join(sorted(missing))}; it has {examples}, …")
    if not pairs:
        raise BadInput(f"{folder}: holds no pair")
    return dataset, pairs, scores


@click.command(
    short_help="Write all pairs as a page to search and filter.",
    cls=Examples,
    epilog="pstgen gallery pst/\npstgen gallery pst/ --most 200 --inline --out page/",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("gallery"), help="Folder to write.  [default: gallery]"
)
@click.option("--inline", is_flag=True, help="Put the pictures into the page: a single file, to send or attach.")
@click.option("--most", type=click.IntRange(1, bounds.MOST), help="So many pairs, of every family.  [default: all]")
def gallery(folder: Path, out: Path, most: int | None, *, inline: bool) -> None:
    """Write a page of all pairs: twins beside each other, the evidence outlined, what every judge answered.

    It opens from the disk or from any web server, and loads nothing from elsewhere.
    """
    from pstgen.dataset import atomic, store
    from pstgen.dataset.exporters import gallery as page

    with readable(folder):
        dataset = store.open(folder)
    with tracking() as progress, if_interrupted("nothing was written"), atomic.create(out) as draft, readable(folder):
        page.write(dataset, draft, inline=inline, most=most, progress=progress)
    echo(f"{out / page.FILE}: open it in a browser")


@click.command(
    short_help="Write a set in another format.",
    cls=Examples,
    epilog="pstgen export pst/ --to lmms-eval --out harness/\npstgen export pst/ --to trl-grpo --out train/\n"
    "pstgen export pst/ --to sheet --out pictures/",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--to", "name", type=Names("exporters"), required=True, help="The format; docs/export.md tells of each.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("export"), help="Folder to write.  [default: export]"
)
@click.option("--force", is_flag=True, help="Write a set that is not sound too, and say so in a file beside it.")
def export(folder: Path, name: str, out: Path, *, force: bool) -> None:
    """Write a dataset, or a page about it, as another program reads it, into a folder of its own."""
    from pstgen.dataset import atomic, exporters, store
    from pstgen.verification import certificate

    with readable(folder):
        dataset = store.open(folder)
    warning = _warning(dataset, force=force)
    with if_interrupted("nothing was written"), atomic.create(out) as draft, readable(folder):
        exporters.load(name).write(dataset, draft)
        if warning:
            (draft / "NOT-SOUND.txt").write_text(f"{warning}\n", encoding="utf-8")
    unknown = "" if (folder / certificate.NAME).is_file() else f"; not verified yet: pstgen verify {folder}"
    echo(f"{out}: {name}, of {dataset.manifest.items:,} items{unknown}")


def _warning(dataset: Dataset, *, force: bool) -> str:
    """What the certificate holds against the set; "" where nothing does. Raises BadInput for a set that is not sound, without `force`."""
    from pstgen.verification import certificate

    if not (dataset.folder / certificate.NAME).is_file():
        return ""
    found = certificate.read(dataset.folder)
    if found.manifest != dataset.manifest.seal:
        raise BadInput(
            f"{dataset.folder}: its certificate is another set's; pstgen verify {dataset.folder} writes its own"
        )
    if found.sound:
        return ""
    failed = ", ".join(finding.check for finding in found.findings if not finding.sound)
    warning = f"{dataset.folder.name}: its certificate says that it is not sound ({failed})"
    if not force:
        raise BadInput(f"{warning}; --force writes it all the same, and says so")
    return warning


@click.command(
    short_help="Download photographs (COCO).",
    cls=Examples,
    epilog="pstgen fetch coco\npstgen fetch coco --split train2017 --mirror http://localhost:8000",
)
@SETTINGS
@click.argument("what", required=False, type=Completed(_fetchable))
@click.option("--split", type=Completed(lambda: SPLITS), help="COCO's split.  [default: val2017]")
@click.option("--mirror", help="Address to use instead of the official one.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where to keep it.  [default: the user's cache folder]")
def fetch(file: Path | None, **options: Any) -> None:
    """Download photographs: resumed, checked. The only command that goes online without being asked.

    \b
    val2017 and all annotations are 1.0 GiB, train2017 is 18 GiB more.
    """  # noqa: D301 (click keeps the lines after a backspace)
    from pstgen.scenes import download

    if not file and not options["what"]:
        raise BadInput(f"name what to fetch: {', '.join(download.available())}")
    settings = config.read(file, options, config.FetchConfig)
    say(f"{settings.what}, {settings.split}: {download.size(settings) / 2**20:,.0f} MiB in all")
    with tracking() as progress, if_interrupted("what was loaded stays; the same command goes on from there"):

        def show(done: int, total: int, name: str) -> None:
            progress.reach(f"{name}, MiB", done // 2**20, -(-total // 2**20))

        folder = download.fetch(settings, show)
    echo(f"{folder}: ready. Next: pstgen build --source coco --split {settings.split}")


@click.command(
    short_help="Write the built-in world in COCO's format.",
    cls=Examples,
    epilog="pstgen world --n 2000 --out world/\npstgen world --n 200 --size 256 --typicality 0",
)
@click.option("--n", type=number(config.WorldConfig, "n"), help="How many scenes.  [default: 2000]")
@click.option("--size", type=number(config.WorldConfig, "size"), help="Side of a scene in pixels.  [default: 256]")
@click.option(
    "--typicality", type=number(config.WorldConfig, "typicality"), help="Share of typical facts.  [default: 0.85]"
)
@click.option("--seed", type=number(config.WorldConfig, "seed"), help="Same seed, same bytes.  [default: 0]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.  [default: world]")
@SETTINGS
def world(file: Path | None, **options: Any) -> None:
    """Write the built-in world in COCO's format: images, masks, keypoints, captions, depth."""
    from pstgen.dataset import atomic
    from pstgen.scenes.world import files

    settings = config.read(file, options, config.WorldConfig)
    with tracking() as progress, if_interrupted("nothing was written"), atomic.create(settings.out) as folder:
        files.write(settings, folder, progress)
    echo(f"{settings.out}: {settings.n} scenes. Next: pstgen build --root {settings.out} --split world")
