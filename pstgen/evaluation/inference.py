"""One system sits the examination: it learns, answers everything, and is looked into."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import plugins
from pstgen.core.records import Refusals, Unavailable
from pstgen.dataset import sampling, store
from pstgen.dataset.store import Row
from pstgen.evaluation.data import Language, Materials
from pstgen.evaluation.metrics import Scores
from pstgen.models.answerer import Query, Speaker
from pstgen.models.huggingface import Model
from pstgen.questions.benchmarks.files import Example
from pstgen.scenes import pixels
from pstgen.training.stages import Learnt, Task, learn
from pstgen.training.systems import Plan

ANSWERS, LOOKED = "answers.json", "looked.json"
BATCH = 64
LOOKED_INTO, ATTACKED, CHAINED = 96, 48, 96  # items of the stress test: attention, robustness, chains


@dataclass(frozen=True)
class Seat:
    """A system under a seed. folder: of its answers; model: of the weights that answer; detector, ocr: for tools."""

    system: str
    seed: int
    folder: Path
    model: Path
    detector: Path | None
    materials: Materials
    evaluations: tuple[str, ...]
    ocr: str = ""


class Answers(msgspec.Struct, frozen=True):
    """What a system answered, by the name of the question: the stress test as asked and asked plainly, and both exams."""

    pst: dict[str, str]
    neutral: dict[str, str]
    vqa: dict[str, str]
    gqa: dict[str, str]
    chains: dict[str, str] = {}


def train(task: Task) -> Learnt:
    """Learn one stage; its progress stands in the log of its folder."""
    return learn(task, _silent)


def _silent(step: int, figures: dict[str, float]) -> None:
    """Say nothing: the log in the folder tells."""


def sit(seat: Seat) -> None:
    """Answer and be looked into; what is there already is not done again."""
    seat.folder.mkdir(parents=True, exist_ok=True)
    if not (seat.folder / ANSWERS).is_file():
        store.put(seat.folder / ANSWERS, msgspec.json.encode(answers(seat)))
    if not (seat.folder / LOOKED).is_file():
        told = {name: msgspec.to_builtins(one) for name, one in looks(seat)}
        store.put(seat.folder / LOOKED, msgspec.json.encode(told))


def named(name: str) -> Any:
    """The system of that name; one of another lambda is called NAME@LAMBDA."""
    return plugins.load("systems", name.partition("@")[0])


def speaker(seat: Seat, load: Callable[[Path], Model] = lambda folder: Model(str(folder), "auto")) -> Speaker:
    """The system's model, loaded."""
    return Speaker(load(seat.model), str(seat.detector or ""), seat.ocr)


def answers(seat: Seat) -> Answers:
    """Everything that is asked, a batch of images at a time."""
    system, voice = named(seat.system), speaker(seat)
    told: dict[str, dict[str, str]] = {"pst": {}, "neutral": {}, "vqa": {}, "gqa": {}}
    rows = store.open(seat.materials.pst).rows()
    for batch in _batches(rows):
        queries = [query(row) for row in batch]
        plain = [replace(one, question=row.item.neutral) for one, row in zip(queries, batch, strict=True)]
        for name, asked in (("pst", queries), ("neutral", plain)):
            told[name] |= {one.name: answer for one, answer in zip(asked, system.answer(voice, asked), strict=True)}
    said: dict[tuple[str, str], str] = {}  # the world asks one set of questions, written in two formats
    for name, where in (("vqa", seat.materials.vqa), ("gqa", seat.materials.gqa)):
        examples: Iterator[Example] = _official(name).examples(where, Refusals()) if where else iter(())
        for some in _batches(examples):
            new = [one for one in some if (one.question_id, one.question) not in said]
            asked = [Query(one.question_id, one.question, (), pixels.read(str(one.image))) for one in new]
            said |= {
                (one.name, one.question): answer for one, answer in zip(asked, system.answer(voice, asked), strict=True)
            }
            told[name] |= {one.question_id: said[one.question_id, one.question] for one in some}
    return Answers(**told, chains=_chains(seat, system, voice))


def _official(name: str) -> Any:
    from pstgen.questions.benchmarks import gqa, vqa_v2

    return {"vqa": vqa_v2, "gqa": gqa}[name]


def query(row: Row) -> Query:
    """An item as a question."""
    return Query(row.item.item_id, row.item.question, row.item.options, pixels.decoded(row.image))


def _chains(seat: Seat, system: Any, voice: Speaker) -> dict[str, str]:
    """What a system that says its chain says."""
    plan: Plan = system.PLAN
    if plan.told != "chain":
        return {}
    some = [query(row) for row in some_rows(seat, CHAINED)]
    return dict(zip((one.name for one in some), voice.say(some, system.MOST_TOKENS), strict=True))


def some_rows(seat: Seat, most: int) -> list[Row]:
    """About so many items: whole pairs, some of every family by a hash of their names, the same for every system."""
    return [row for pair in sampling.pick(store.open(seat.materials.pst), most // 2) for row in pair]


def looks(seat: Seat) -> Iterator[tuple[str, Scores]]:
    """Metrics that need the model itself."""
    system, voice = named(seat.system), speaker(seat)
    plan: Plan = system.PLAN
    wanted = set(seat.evaluations or plugins.names("metrics"))
    load = plugins.load
    if "language" in wanted and not plan.of:
        kept = msgspec.json.decode(seat.materials.language.read_bytes(), type=Language)
        yield "language", load("metrics", "language").measure(voice.model, kept.texts, kept.choices)
    if "attention" in wanted and plan.sees and not plan.of:
        yield "attention", _or_why(load("metrics", "attention").measure, voice.model, some_rows(seat, LOOKED_INTO))
    if "robustness" in wanted and plan.sees:
        yield "robustness", load("metrics", "robustness").measure(system, voice, some_rows(seat, ATTACKED))
    if "chains" in wanted and plan.told == "chain":
        said = msgspec.json.decode((seat.folder / ANSWERS).read_bytes(), type=Answers).chains
        yield "chains", load("metrics", "chains").measure(some_rows(seat, CHAINED), said)


def _or_why(measure: Callable[..., Scores], *given: Any) -> Scores:
    """Figures, or why a model of this kind has none."""
    try:
        return measure(*given)
    except Unavailable as error:
        return Scores(figures={}, absent={"share": str(error)})


def _batches(things: Any) -> Iterator[Sequence[Any]]:
    batch: list[Any] = []
    for thing in things:
        batch.append(thing)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
