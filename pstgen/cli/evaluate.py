"""Commands about models: put a stress test to one, compare two, rank many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pstgen.cli.shared import (
    JSON,
    RESUME,
    SETTINGS,
    Completed,
    Device,
    Examples,
    emit,
    if_interrupted,
    number,
    tracking,
)
from pstgen.cli.terminal import echo
from pstgen.core import config, scratch
from pstgen.core.records import BadInput, Unavailable
from pstgen.dataset.damage import readable

INTERRUPTED = "answers so far are in the cache; the same command goes on from there"
DTYPES = ("auto", "float32", "bfloat16", "float16")


@click.command(
    "eval",
    short_help="Put a stress test to a model.",
    cls=Examples,
    epilog="pstgen eval pst/ --model HuggingFaceTB/SmolVLM-256M-Instruct --out results/smolvlm.json\n"
    "pstgen eval pst/ --model http://127.0.0.1:8000/v1 --model-name qwen --limit 200\n"
    "pstgen eval pst/ --predictions answers.jsonl --out results/mine.json\n"
    "pstgen eval --compare results/smolvlm.json results/mine.json",
)
@SETTINGS
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--model",
    help="Folder, hub id (downloads), a server's http://HOST:PORT/v1 (several: parted by commas), or eye (ours).",
)
@click.option("--model-name", help="The name that the server serves it by.")
@click.option(
    "--predictions",
    type=click.Path(path_type=Path),
    help="Answers made elsewhere: item_id and answer, or a harness's log.",
)
@click.option("--blind-predictions", type=click.Path(path_type=Path), help="The same, made without the images.")
@click.option("--name", help="What the model is called in the result.  [default: its own name, or the file's]")
@click.option(
    "--limit", type=number(config.EvalConfig, "limit"), help="Pairs at most, even over families and wordings: a trial."
)
@click.option("--pairs", type=click.Path(path_type=Path), help="Only the pairs of this file of `pstgen mini`.")
@click.option("--blind/--no-blind", default=None, help="Ask it again without the images.  [default: blind]")
@click.option(
    "--neutral/--no-neutral", default=None, help="Ask framed items by their neutral question too.  [default: neutral]"
)
@click.option("--revision", help="Of the hub: a commit, tag or branch.")
@click.option("--adapter", help="A folder of peft's that is added to the model.")
@click.option(
    "--ask",
    type=click.Choice(("options", "letters", "generate", "point", "box")),
    help="Log-probability of the options, of their letters, or free text; or the point or box that shows the answer.  "
    "[default: letters where there is a chat template, else options]",
)
@click.option(
    "--coordinates",
    type=click.Choice(("thousandths", "pixels", "percent", "fraction", "locations")),
    help="Of points and boxes: in which they are asked for and read.  [default: thousandths, or as the form of the answer says]",
)
@click.option(
    "--collateral",
    is_flag=True,
    default=None,
    help="Ask edited twins a question that the edit does not touch, too.",
)
@click.option("--device", type=Device(), help="auto, cpu, cuda, mps.  [default: auto]")
@click.option("--device-map", help="Spread a large model's weights over devices: auto, balanced, …")
@click.option("--dtype", type=Completed(lambda: DTYPES), help="Of its weights.  [default: auto]")
@click.option("--attention", help="sdpa, eager, flash_attention_2.")
@click.option("--batch-size", type=number(config.EvalConfig, "batch_size"), help="Items at once.  [default: 32]")
@click.option("--concurrency", type=number(config.EvalConfig, "concurrency"), help="Requests at once.  [default: 8]")
@click.option(
    "--timeout", type=number(config.EvalConfig, "timeout"), help="Seconds a request may take.  [default: 120]"
)
@RESUME
@click.option("--out", type=click.Path(path_type=Path), help="Write the result here (JSON), to compare and to rank.")
@click.option(
    "--compare", nargs=2, type=click.Path(path_type=Path), metavar="A B", help="Compare two results, and ask no model."
)
@JSON
def evaluate(file: Path | None, *, compare: tuple[Path, Path] | None, as_json: bool, **options: Any) -> None:
    """Put a stress test to a model, with its images and without: does it see, or does it guess?

    Pairs come first: all twins right. Answers to a part of the set are measured on the pairs that are whole. What a model
    answered before is taken from the cache.
    """
    if compare:
        if file or any(value is not None for value in options.values()):
            raise BadInput("--compare A B compares two results and asks no model: it stands alone, or with --json")
        _compare(*compare, as_json=as_json)
        return
    from pstgen.evaluation import stress_result, stress_test

    settings = config.read(file, options, config.EvalConfig)
    _writable(settings.out)
    places = settings.ask in {"point", "box"}
    ask = stress_test.ground if places else stress_test.evaluate
    with tracking() as progress, if_interrupted(INTERRUPTED):
        found: Any = ask(settings, progress)
    if settings.out:
        stress_result.write(settings.out, found)
    if as_json:
        emit(found)
        return
    from pstgen.cli import stress_tables

    (stress_tables.grounding if places else stress_tables.result)(found)
    if settings.out:
        following = f"pstgen eval --compare {settings.out} OTHER, or pstgen leaderboard {settings.out.parent}"
        echo(f"{settings.out}: written" + ("" if places else f". Next: {following}"))


def _writable(out: Path | None) -> None:
    """Make the folder of a result, before hours of work are spent on it."""
    if out is None:
        return
    if out.is_dir():
        raise BadInput(f"{out}: is a folder; name a file in it, such as {out / 'result.json'}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{out}: cannot be written: {out.parent}: {error.strerror}") from None


def _compare(first: Path, second: Path, *, as_json: bool) -> None:
    from pstgen.cli import stress_tables
    from pstgen.evaluation import stress_comparison, stress_result

    results = stress_result.read(first), stress_result.read(second)
    found = stress_comparison.compare(*results)
    models = results[0].model, results[1].model
    if as_json:
        emit({"models": models, "comparison": found})
    else:
        stress_tables.comparison(*models, found)


@click.command(
    short_help="Rank the results of many models on a page.",
    cls=Examples,
    epilog="pstgen leaderboard results/\npstgen leaderboard results/ --out leaderboard.html",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("leaderboard.html"), help="[default: leaderboard.html]"
)
def leaderboard(folder: Path, out: Path) -> None:
    """Rank results on one set, by pairs won: a page, and a table here."""
    from pstgen.cli import stress_tables
    from pstgen.evaluation import leaderboard, stress_result

    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        raise BadInput(f"{folder}: no result here; `pstgen eval pst/ --model … --out {folder}/NAME.json` writes one")
    ranked = leaderboard.rank([stress_result.read(file) for file in files])
    scratch.put(out, leaderboard.page(ranked).encode())
    stress_tables.ranking(ranked)
    echo(f"{out}: {len(ranked)} models")


@click.command(
    "mini",
    short_help="Choose the pairs that tell models apart best.",
    cls=Examples,
    epilog="pstgen mini pst/ results/*.json --n 200 --out mini.json\n"
    "pstgen eval pst/ --pairs mini.json --model HuggingFaceTB/SmolVLM-256M-Instruct",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option("--n", type=click.IntRange(min=1), default=200, help="Pairs.  [default: 200]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("mini.json"), help="[default: mini.json]")
@JSON
def mini(folder: Path, results: tuple[Path, ...], *, n: int, out: Path, as_json: bool) -> None:
    """Choose n pairs of a set that tell models apart best, by the results of at least three.

    Every family, in neutral and in misleading words, keeps its part. With fewer results the pairs are drawn.
    """
    from pstgen.cli import stress_tables
    from pstgen.dataset import store
    from pstgen.evaluation import mini, stress_result

    _writable(out)
    with readable(folder):
        found = mini.choose(store.open(folder), [stress_result.read(file) for file in results], n)
    mini.write(out, found)
    if as_json:
        emit(found)
        return
    stress_tables.mini(found)
    echo(f"{out}: {n:,} pairs. Next: pstgen eval {folder} --pairs {out} --model …")
