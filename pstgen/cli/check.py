"""Commands that doubt: a dataset of ours, or any benchmark."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from pstgen.cli.shared import (
    JSON,
    NOT_SOUND,
    SETTINGS,
    Completed,
    Examples,
    Names,
    emit,
    if_interrupted,
    meta,
    plainly,
    tracking,
)
from pstgen.core import config, plugins
from pstgen.core.progress import Progress
from pstgen.core.records import BadInput, Finding

DEVICES = ("auto", "cpu", "cuda", "mps")
LM = click.option(
    "--attacker-lm",
    metavar="MODEL",
    help="A language model to tune on the words and attack with: folder, hub id (downloads), ours.",
)
VLM = click.option(
    "--attacker-vlm",
    metavar="MODEL",
    help="A VLM to attack with, never shown the right image: folder, hub id (downloads), ours.",
)
DEVICE = click.option(
    "--device", type=Completed(lambda: DEVICES), help="Of these models: auto, cpu, cuda, mps.  [default: auto]"
)


REBUILT = {
    "root": "COCO's folder.",
    "annotations": "The instances file, where it was one of your own.",
    "templates": "The templates, where they were your own.",
    "prior_annotations": "The COCO-format file that the prior was fitted on.",
    "prior_file": "The saved prior.",
    "prior_vqa": "Folder of VQA v2's files.",
    "detector": "ONNX file or folder.",
    "depth_model": "Folder or hub id.",
    "lm": "Folder or hub id; of the one that comes with pstgen, nothing.",
    "vlm": "Folder or hub id; of the one that comes with pstgen, nothing.",
}


def _rebuilt(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options for what lies elsewhere on every machine, so that a manifest cannot tell it."""
    for name, told in reversed(REBUILT.items()):
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, metavar="PATH", help=f"For --rebuild: {told}")(command)
    return command


@click.command(
    short_help="Verify a stress test; write its certificate.",
    cls=Examples,
    epilog="pstgen verify pst/\npstgen verify pst/ --attacker-lm ours --attacker-vlm ours\n"
    "pstgen verify pst/ --against ~/coco/train2017\npstgen verify pst/ --rebuild --root ~/coco --vlm ~/models/smolvlm",
)
@SETTINGS
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--seed", type=int, help="Of the attackers' folds.  [default: 0]")
@click.option(
    "--most-wrong",
    type=click.FloatRange(0, 1),
    help="Share of labels that may be wrong, by an audit's upper bound.  [default: any]",
)
@LM
@VLM
@DEVICE
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="Pictures that the set must not hold: a folder, or a file of COCO image ids.",
)
@click.option("--rebuild", "again", is_flag=True, help="Build it again from its manifest and compare every byte.")
@_rebuilt
@JSON
@plainly
def verify(file: Path | None, *, again: bool, as_json: bool, **options: Any) -> None:
    """Verify a dataset: bytes, pairs, labels, targets, and that language alone does not win.

    Exit code: 0 sound, 1 not sound, 2 usage, 3 environment.
    """
    from pstgen import verify as station
    from pstgen.cli import tables
    from pstgen.dataset import store
    from pstgen.verification import rebuild

    here = config.read(None, {name: options.pop(name) for name in REBUILT}, config.RebuildConfig)
    settings = config.read(file, options, config.VerifyConfig)
    if again:
        rebuild.settings(store.open(settings.folder).manifest, here, settings.folder)  # refuses what is not named now
    started = perf_counter()
    with tracking() as progress, _logged(progress), if_interrupted("no certificate was written"):
        if again:
            progress.note("building it again from its manifest, after all checks")
        more = {"rebuild": lambda dataset: station.rebuild(dataset, here, progress)} if again else {}
        findings = station.verify(settings, progress, more)
    sound, verdict = all(finding.sound for finding in findings), station.verdict(findings)
    if as_json:
        emit({"folder": settings.folder, "sound": sound, "verdict": verdict, "findings": findings})
    else:
        tables.findings(findings)
        for finding in findings:
            if finding.check == "attackers":
                click.echo()
                tables.attacks(finding.figures)
                click.echo()
        click.echo(f"{settings.folder}: {verdict}", err=not sound)
        click.echo(f"Verified in {_duration(perf_counter() - started)}{_next(findings, settings.folder)}")
    if not sound:
        sys.exit(NOT_SOUND)


def _next(findings: Sequence[Finding], folder: Path) -> str:
    """What was written, the page to look at first, and, of a sound set that nobody has audited, the command for that."""
    from pstgen.verification import certificate

    if not findings[0].sound:
        return "; no certificate was written."
    sound = all(finding.sound for finding in findings)
    unaudited = any(finding.check == "audit" for finding in certificate.untested(findings))
    audit = f", then pstgen audit {folder}" * (sound and unaudited)
    return f"; wrote {folder / certificate.NAME}.\nNext: open {folder / certificate.PAGE}{audit}"


def _duration(seconds: float) -> str:
    """In words.

    >>> _duration(113.4), _duration(7.04)
    ('1 min 53 s', '7.0 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


@click.command(
    short_help="Attack any benchmark by its words alone.",
    cls=Examples,
    epilog="pstgen attack coco_pope_popular.json --format pope\npstgen attack MMBench.tsv --format vlmevalkit_tsv\n"
    "pstgen attack pst/ --format hf",
)
@SETTINGS
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "form", type=Names("readers"), required=True, help="Of the benchmark's file or folder.")
@click.option("--seed", type=int, help="Of the folds.  [default: 0]")
@LM
@VLM
@DEVICE
@click.option("--limit", type=click.IntRange(1), help="Questions to take, at most: for a small trial.")
@JSON
@plainly
def attack(file: Path | None, path: Path, form: str, *, limit: int | None, as_json: bool, **options: Any) -> None:
    """Attack any benchmark by its words alone: what does one reach who never sees an image?"""
    from pstgen.cli import tables
    from pstgen.verification import attack as station

    told = plugins.load("readers", form).read(path)[:limit]
    if not told:
        raise BadInput(f"{path}: holds no question that an attacker could answer")
    settings = config.read(file, options, config.VerifyConfig)
    with tracking() as progress, _logged(progress), if_interrupted("nothing was written"):
        reached = list(progress(station.run(told, settings), "attacking"))
    if as_json:
        emit(station.figures(reached))
        return
    tables.attacks(station.figures(reached), {one.attacker: one.seconds for one in reached})


@contextmanager
def _logged(progress: Progress) -> Iterator[None]:
    """With -v what is logged on the way, such as the time that each attacker took, is shown too."""
    log, handler = logging.getLogger("pstgen"), logging.Handler()
    handler.emit = lambda record: progress.note(record.getMessage())  # type: ignore[method-assign]
    handler.addFilter(lambda record: record.name != "pstgen.progress")  # that is shown already
    before = log.level
    if meta("verbose"):
        log.addHandler(handler)
        log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


@click.command(
    short_help="Look at labels in a browser and judge them.",
    cls=Examples,
    epilog="pstgen audit pst/ --n 200\npstgen audit pst/ --who anna --no-open --port 8000",
)
@SETTINGS
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--n", type=click.IntRange(1), help="How many labels; pairs stay whole.  [default: 200]")
@click.option("--seed", type=int, help="Of the sample; take the same one to be compared.  [default: 0]")
@click.option("--who", help="Whose verdicts they are.  [default: your user name]")
@click.option("--port", type=click.IntRange(0, 65535), help="On 127.0.0.1; 0 takes a free one.  [default: 0]")
@click.option("--open/--no-open", "browser", default=None, help="Open a browser.  [default: open]")
@plainly
def audit(file: Path | None, **options: Any) -> None:
    """Audit labels by eye: a page on this machine asks of a sample what is right, wrong, ambiguous.

    Every verdict is in FOLDER/audit.jsonl at once; the same command goes on where it was left.
    """
    from pstgen.verification import audit as station

    settings = config.read(file, options, config.AuditConfig)
    with tracking() as progress:
        session = station.begin(settings, progress)
    click.echo(f"{session.progress()}. Keys and mouse; ? explains. Ctrl-C ends.")
    station.serve(session, settings, click.echo)
    click.echo(f"\n{session.path}: {session.progress()}. Next: pstgen verify {settings.folder}")
