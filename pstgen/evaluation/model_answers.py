"""A model's answers to a stress test: with each item's image, without it, and to the neutral questions."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from more_itertools import batched

from pstgen.core import resources, scratch
from pstgen.core.config import BuildConfig, EvalConfig, Place, build_config
from pstgen.core.progress import Progress
from pstgen.core.records import Item, Verdict
from pstgen.core.resources import is_server
from pstgen.dataset.damage import guarded
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset
from pstgen.evaluation import collateral
from pstgen.evaluation.collateral import Drawn
from pstgen.models import engines, judges, resume
from pstgen.models.looking import Look

PLACES: tuple[Place, ...] = get_args(Place)
CHUNK = 256  # rows whose images lie on the disk at once
OURS = "eye"  # the model that comes with pstgen
SEEING, BLIND, NEUTRAL = "seeing", "blind", "neutral"
WHAT = {SEEING: "questions with their images", BLIND: "the same without the image", NEUTRAL: "neutral questions"}


@dataclass(frozen=True)
class Answers:
    """Answers of a model by item id, the option's text or "" where none is named, or several.

    neutral: to the framed items' neutral questions, with the image. drawn: questions that the edits do not touch, None where none
    were wanted; collateral: the answers to them. model, revision: what answered. way: how it was asked.
    """

    model: str
    revision: str = ""
    way: str = ""
    seeing: dict[str, str] = field(default_factory=dict)
    blind: dict[str, str] = field(default_factory=dict)
    neutral: dict[str, str] = field(default_factory=dict)
    drawn: Drawn | None = None
    collateral: dict[str, str] = field(default_factory=dict)


def answer(dataset: Dataset, wanted: Collection[str], config: EvalConfig, progress: Progress) -> Answers:
    """Let the model of a run answer the items of the wanted pairs; what it answered before is in the cache.

    Images are written to the disk CHUNK rows at a time. Raises what opening the model raises.
    """
    settings = _settings(config)
    seeing, blind = opened(config)
    asked = collateral.draw(dataset, wanted, progress) if config.collateral else None
    given = Answers(short(seeing.model.name), seeing.revision, seeing.way, drawn=asked)
    shown = progress(guarded(dataset.rows_of(wanted), dataset.folder), WHAT[SEEING], count(dataset, wanted))
    for rows in batched(shown, CHUNK):
        with scratch.folder("pstgen-") as folder:
            items = list(_items_on_disk(rows, folder))
            given.seeing.update(_answers(seeing, items, settings))
            if config.blind:
                given.blind.update(_answers(blind, items, settings))
            if config.neutral:
                given.neutral.update(_answers(seeing, [_plain(item) for item in items if _framed(item)], settings))
            if asked:
                given.collateral.update(_answers(seeing, list(_beside(items, asked)), settings))
    return given


def opened(config: EvalConfig) -> tuple[Look, Look]:
    """The model of a run: as it sees each item's own image, and as it sees none. Raises what opening it raises."""
    settings = _settings(config)
    kind = "endpoint" if is_server(settings.judges.vlm or "") else "vlm"
    every: Sequence[Any] = judges.load(kind).open(settings)
    looks = {look.view: look for look in every if isinstance(look, Look)}
    resume.begin(config, [(look.name, look.revision) for look in looks.values()])
    return looks["seeing"], looks["no-image"]


def short(name: str) -> str:
    """Of a folder on this machine its last part; a hub id or a server's name as it is."""
    return Path(name).name if Path(name).is_dir() else name


def _settings(config: EvalConfig) -> BuildConfig:
    """The judge's settings of this run; who is asked for a place says it in words of its own."""
    return build_config(
        ask="generate" if config.ask in PLACES else config.ask,
        vlm=resources.model_named(config.model, OURS),
        vlm_name=config.model_name,
        vlm_revision=config.revision,
        **{
            name: getattr(config, name)
            for name in (
                *("adapter", "device", "device_map", "dtype", "attention"),
                *("batch_size", "concurrency", "timeout"),
            )
        },
    )


def count(dataset: Dataset, wanted: Collection[str]) -> int:
    """The items of the wanted pairs."""
    return sum(item.pair_id in wanted for item in dataset.items())


def _items_on_disk(rows: Sequence[Row], folder: Path) -> Iterator[Item]:
    for n, row in enumerate(rows):
        file = folder / f"{n}{row.suffix}"  # an item's name may lead elsewhere
        file.write_bytes(row.image)
        yield replace(row.item, image=str(file))


def _framed(item: Item) -> bool:
    return item.question != item.neutral


def _plain(item: Item) -> Item:
    return replace(item, question=item.neutral)


def _beside(items: Sequence[Item], asked: Drawn) -> Iterator[Item]:
    """Of each item whose pair has a question that the edit does not touch: that question instead of its own."""
    for item in items:
        if question := asked.questions.get(item.pair_id):
            yield collateral.as_item(question, item)


def _answers(look: Any, items: Sequence[Item], settings: BuildConfig) -> dict[str, str]:
    verdicts = engines.load(settings.judges.engine).run(look, items, settings)
    return {item.item_id: _option(item, verdict) for item, verdict in zip(items, verdicts, strict=True)}


def _option(item: Item, verdict: Verdict) -> str:
    return "" if verdict.choice is None else item.options[verdict.choice]
