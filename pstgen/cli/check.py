"""Commands that examine: a dataset of ours, or any benchmark."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from pstgen.cli.exits import NOT_SOUND
from pstgen.cli.shared import (
    JSON,
    SETTINGS,
    Completed,
    Device,
    Examples,
    Names,
    emit,
    if_interrupted,
    meta,
    number,
    say,
    tracking,
)
from pstgen.cli.terminal import echo
from pstgen.core import bounds, config
from pstgen.core.progress import Progress
from pstgen.core.records import Unavailable
from pstgen.dataset.damage import readable

if TYPE_CHECKING:
    from pstgen.verification.checks import Check
    from pstgen.verification.findings import Finding

DTYPES = ("auto", "float32", "bfloat16", "float16")
LM = click.option(
    "--attacker-lm",
    metavar="MODEL",
    help="A language model to fine-tune on the words and attack with: folder, hub id (downloads), ours.",
)
VLM = click.option(
    "--attacker-vlm",
    metavar="MODEL",
    help="A VLM to attack with, never shown the right image: folder, hub id (downloads), ours.",
)
ATTACKERS = click.option(
    "--attacker",
    "attackers",
    type=Names("attackers"),
    multiple=True,
    help="Only these (repeatable).  [default: all that can]",
)
DTYPE = click.option("--dtype", type=Completed(lambda: DTYPES), help="Of these models' weights.  [default: auto]")
DEVICE_MAP = click.option("--device-map", help="Spread their weights over devices: auto, balanced, …")
DEVICE = click.option("--device", type=Device(), help="Of these models: auto, cpu, cuda, mps.  [default: auto]")


WORKERS = click.option(
    "--workers",
    type=number(config.VerifyConfig, "workers"),
    help="Processes for what models do not do.  [default: one a core]",
)


def _attacking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options about who attacks, and about the models that do."""
    for option in reversed((ATTACKERS, LM, VLM, DEVICE, DTYPE, DEVICE_MAP, WORKERS)):
        command = option(command)
    return command


SOURCE = {
    "root": "COCO's folder: pictures and annotations are compared with it.",
    "annotations": "The same of your own file.",
    "images": "The folder of its pictures.",
}
REBUILT = {
    "names": "The file of nouns for categories.",
    "templates": "The templates, where they were your own.",
    "prior_annotations": "The COCO-format file that the prior was fitted on.",
    "prior_file": "The saved prior.",
    "prior_vqa": "Folder of VQA v2's files.",
    "detector": "ONNX file or folder.",
    "depth_model": "Folder or hub id.",
    "lm": "Folder or hub id; not needed for the model that comes with pstgen.",
    "vlm": "Folder, hub id or server; not needed for the model that comes with pstgen.",
    "adapter": "Of the VLM.",
}


COLUMNS = ("question", "options", "answer", "image", "pair", "category")  # of a benchmark's table


def _elsewhere(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options for what lies elsewhere on every machine, so that a manifest cannot hold it."""
    for name, meaning in reversed(
        {**SOURCE, **{name: f"For --rebuild: {text}" for name, text in REBUILT.items()}}.items()
    ):
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, metavar="PATH", help=meaning)(command)
    return command


@click.command(
    short_help="Verify a stress test; write its certificate.",
    cls=Examples,
    epilog="pstgen verify pst/\npstgen verify pst/ --attacker-lm ours --attacker-vlm ours\n"
    "pstgen verify pst/ --against ~/coco/train2017\npstgen verify pst/ --rebuild --root ~/coco --vlm ~/models/smolvlm",
)
@SETTINGS
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--seed", type=number(config.VerifyConfig, "seed"), help="Of the attackers' folds.  [default: 0]")
@click.option(
    "--most-wrong",
    type=number(config.VerifyConfig, "most_wrong"),
    help="Share of labels that may be wrong, by an audit's upper bound.  [default: any]",
)
@_attacking
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="What the set must share nothing with: another set, a folder of pictures, or a file of COCO image ids.",
)
@click.option("--expect", metavar="HASH", help="The set's hash, as `build` printed it: is it this very set?")
@click.option("--rebuild", "again", is_flag=True, help="Build it again from its manifest and compare every byte.")
@_elsewhere
@JSON
def verify(file: Path | None, *, again: bool, as_json: bool, **options: Any) -> None:
    """Verify a dataset: bytes, pairs, labels, targets, and that language alone does not win.

    Exit code: 0 sound, 1 not sound; others: pstgen --help.
    """
    from pstgen.verification import certificate
    from pstgen.verify import Rebuild, verify

    rest = {name: options[name] for name in SOURCE} | {name: options.pop(name) for name in REBUILT}
    here = config.read(None, rest, config.RebuildConfig)
    settings = config.read(file, options, config.VerifyConfig)
    if again:
        _refuse_unnamed(here, settings)
    started = perf_counter()
    with tracking() as progress, _logged(progress), if_interrupted("no certificate was written"):
        if again:
            progress.note("building it again from its manifest, after all checks")
        extra: Mapping[str, Check] = {"rebuild": Rebuild(here, progress)} if again else {}
        findings = verify(settings, progress, extra)
    seconds = perf_counter() - started
    sound, verdict = all(finding.sound for finding in findings), certificate.verdict(findings)
    if as_json:
        emit({"folder": settings.folder, "sound": sound, "verdict": verdict, "findings": findings})
    else:
        _print(findings)
        echo(f"{settings.folder}: {verdict}", err=not sound)
        echo(f"Verified in {_duration(seconds)}{_next(findings, settings.folder)}")
    if not sound:
        sys.exit(NOT_SOUND)


def _refuse_unnamed(here: config.RebuildConfig, settings: config.VerifyConfig) -> None:
    """Raise BadInput where the set was built with something that is not named now, before anything is examined."""
    from pstgen.dataset import store
    from pstgen.verification import rebuild

    rebuild.settings(store.open(settings.folder).manifest, here, settings.folder)


def _print(findings: Sequence[Finding]) -> None:
    """What every check found, what the build's judges reach, and what each attacker does."""
    from pstgen.cli import judge_tables, tables

    tables.findings(findings)
    for finding in findings:
        if finding.judges:
            echo()
            judge_tables.judges(finding.judges)
        if finding.attacks:
            echo()
            tables.attacks(finding.attacks)
            echo()


def _next(findings: Sequence[Finding], folder: Path) -> str:
    """What was written, the page to look at first, and, of a sound set that nobody has audited, the command for that."""
    from pstgen.verification import certificate

    if any(finding.check in certificate.FIRST and not finding.sound for finding in findings):
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


def _columns(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that name the columns of a table."""
    for what in reversed(COLUMNS):
        text = (
            "The column that holds the question.  [default: is recognized]"
            if what == COLUMNS[0]
            else f"Likewise: {what}."
        )
        command = click.option(f"--{what}-column", metavar="NAME", help=text)(command)
    return command


@click.command(
    short_help="Attack any benchmark by its words alone.",
    cls=Examples,
    epilog="pstgen attack coco_pope_popular.json\npstgen attack MMBench.tsv --format vlmevalkit_tsv\n"
    "pstgen attack pst/ --html attacks.html\npstgen attack mine.jsonl --question-column q --options-column candidates --answer-column gold",
)
@SETTINGS
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "form", type=Names("readers"), help="Of the file or folder.  [default: is recognized]")
@_columns
@click.option("--seed", type=number(config.VerifyConfig, "seed"), help="Of the folds.  [default: 0]")
@_attacking
@click.option("--limit", type=click.IntRange(1, bounds.MOST), help="Questions to take, at most: for a small trial.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a report here.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write how vulnerable each question is.")
@JSON
def attack(  # noqa: PLR0913 (its options)
    file: Path | None,
    path: Path,
    form: str | None,
    *,
    limit: int | None,
    html: Path | None,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Attack any benchmark by its words alone: how far does one get without seeing an image?"""
    from pstgen.cli import tables
    from pstgen.verification import attack, attack_page, readers

    for target in (html, out):
        if target and not target.absolute().parent.is_dir():
            raise Unavailable(f"{target}: cannot be written: there is no folder {target.absolute().parent}")
    named = {what: column for what in COLUMNS if (column := options.pop(f"{what}_column"))}
    words = readers.read(path, form or readers.AUTO, named)
    words = words._replace(samples=words.samples[:limit])
    say(f"{path}: {len(words.samples):,} questions, read as {words.format}")
    for line in words.refusals:
        say(line)
    settings = config.read(file, options, config.VerifyConfig)
    untried: dict[str, str] = {}
    with tracking() as progress, _logged(progress), if_interrupted("nothing was written"):
        runs = list(progress(attack.run_all(words.samples, settings, untried=untried), "attacking"))
    results = [run.result for run in runs]
    if html:
        html.write_text(attack_page.page(path, words, runs), encoding="utf-8")
        say(f"wrote {html}")
    if out:
        attack_page.write_table(out, words.samples, runs)
        say(f"wrote {out}")
    for name, why in untried.items():
        say(f"not tried: {name} ({why})")
    if as_json:
        emit({"attacks": results, "untried": untried})
        return
    tables.attacks(results, {run.result.attacker: run.seconds for run in runs})


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
@click.option("--n", type=number(config.AuditConfig, "n"), help="How many labels; pairs stay whole.  [default: 200]")
@click.option(
    "--seed",
    type=number(config.AuditConfig, "seed"),
    help="Of the sample; people who are compared use the same.  [default: 0]",
)
@click.option("--who", help="Whose verdicts they are.  [default: your user name]")
@click.option("--port", type=number(config.AuditConfig, "port"), help="On 127.0.0.1; 0 takes a free one.  [default: 0]")
@click.option("--open/--no-open", "browser", default=None, help="Open a browser.  [default: open]")
def audit(file: Path | None, **options: Any) -> None:
    """Audit labels by eye, on a page of this machine: is each label of a sample right, wrong or ambiguous?

    Every verdict is written to FOLDER/audit.jsonl at once; the same command continues where you stopped.
    """
    from pstgen.verification import audit

    settings = config.read(file, options, config.AuditConfig)
    with tracking() as progress, readable(settings.folder):
        session = audit.begin(settings, progress)
    echo(f"{session.progress()}. Keys and mouse; ? explains. Ctrl-C ends.")
    audit.serve(session, settings, echo)
    echo(f"\n{session.path}: {session.progress()}. Next: pstgen verify {settings.folder}")
