"""Answers → figures, of every arm; latencies side by side; what the systems' differences are worth."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import statistics
from pstgen.core.records import Item
from pstgen.dataset import store
from pstgen.dataset.store import Row
from pstgen.evaluation import inference, results, summary
from pstgen.evaluation.data import Materials
from pstgen.evaluation.inference import Answers, Seat
from pstgen.evaluation.metrics import Scores, cost, gqa, pst, vqa
from pstgen.evaluation.results import Arm, Compared, Results
from pstgen.evaluation.summary import BASE, REWARD
from pstgen.models.answerer import Query, Speaker
from pstgen.models.huggingface import Model
from pstgen.training.recipe import Recipe
from pstgen.training.systems import System

ROUNDS = 60  # of the latency's round robin
DRAWS = 1000  # of the bootstrap
LIBRARIES = ("torch", "transformers", "accelerate", "numpy", "albumentations")
SETS = ("pst", "vqa", "gqa")
KEY = {"pst": "pst/pair", "vqa": "vqa/overall", "gqa": "gqa/accuracy"}


def figures(seat: Seat, items: Sequence[Item]) -> dict[str, Scores]:
    """Every metric of one system."""
    told = msgspec.json.decode((seat.folder / inference.ANSWERS).read_bytes(), type=Answers)
    looked = msgspec.json.decode((seat.folder / inference.LOOKED).read_bytes(), type=dict[str, dict[str, Any]])
    scores = {"pst": pst.measure(items, told.pst, told.neutral)}
    for name, metric, said, where in (
        ("vqa", vqa, told.vqa, seat.materials.vqa),
        ("gqa", gqa, told.gqa, seat.materials.gqa),
    ):
        none = Scores(figures={}, absent={"overall": f"no files of {name.upper()} were given"})
        scores[name] = metric.measure(said, where, set(said)) if where else none
    return scores | {name: Scores(**one) for name, one in looked.items()}


def arm(seat: Seat, scores: Mapping[str, Scores], paid: Mapping[str, float]) -> Arm:
    """One line of results.json. paid: what its training cost."""
    flat = {f"{name}/{what}": value for name, one in scores.items() for what, value in one.figures.items()}
    absent = {f"{name}/{what}": why for name, one in scores.items() for what, why in one.absent.items()}
    return Arm(
        system=seat.system,
        seed=seat.seed,
        parameters=int(paid["parameters"]),
        steps={"encoder": int(paid["encoder"]), "joint": int(paid["joint"])},
        flops=paid["flops"],
        seconds=paid["seconds"],
        figures=flat,
        absent=absent,
        scores={name: dict(scores[name].per_question) for name in SETS},
    )


def latencies(seats: Sequence[Seat], price: float) -> dict[str, Scores]:
    """Of one question at a time, systems in turn: milliseconds, energy, and what a thousand questions cost."""
    rows = inference.some_rows(seats[0], ROUNDS)
    answerers: dict[str, Callable[[], object]] = {}
    first: dict[str, Callable[[], object]] = {}
    loaded = cache(lambda folder: Model(str(folder), "auto"))  # some systems answer with another's weights
    for seat in seats:
        system, voice = inference.named(seat.system), inference.speaker(seat, loaded)
        answerers[seat.system] = partial(_answer, system, voice, _turns(rows))
        if not system.PLAN.of and not seat.detector:  # others say nothing before they have looked several times
            first[seat.system] = partial(_begin, voice, _turns(rows), sees=system.PLAN.sees)
    return {name: cost.measure(one, price) for name, one in cost.latency(answerers, ROUNDS, first).items()}


def _answer(system: System, voice: Speaker, turns: Iterator[Query]) -> None:
    system.answer(voice, [next(turns)])


def _begin(voice: Speaker, turns: Iterator[Query], *, sees: bool) -> None:
    query = next(turns)
    voice.say([query if sees else replace(query, image=None)], 1)


def _turns(rows: Sequence[Row]) -> Iterator[Query]:
    """The rows as questions, over and over."""
    return cycle(map(inference.query, rows))


def intervals(arms: Sequence[Arm], items: Sequence[Item]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Mean and 95 % interval of every figure over seeds; with one seed, of pairs alone, over pairs by bootstrap."""
    by_system: defaultdict[str, list[Arm]] = defaultdict(list)
    for one in arms:
        by_system[one.system].append(one)
    told: dict[str, dict[str, tuple[float, float, float]]] = {}
    for system, some in by_system.items():
        if len(some) > 1:
            shared = set.intersection(*(set(one.figures) for one in some))
            told[system] = {name: statistics.interval([one.figures[name] for one in some]) for name in sorted(shared)}
        else:
            told[system] = {"pst/pair": _bootstrapped(some[0], items)}
    return told


def _bootstrapped(one: Arm, items: Sequence[Item]) -> tuple[float, float, float]:
    won: defaultdict[str, list[float]] = defaultdict(list)
    for item in items:
        won[item.pair_id].append(one.scores["pst"][item.item_id])
    values = [100.0 * all(twins) for twins in won.values()]
    low, high = statistics.bootstrap_mean(values, list(won), DRAWS, one.seed)
    return one.figures["pst/pair"], low, high


def compare(arms: Sequence[Arm], items: Sequence[Item]) -> list[Compared]:
    """Every system against the standard one, and perceptual reward against every control, on the same questions.

    A question is one observation, however many seeds there are: what is compared is its score, summed over them.
    """
    named: defaultdict[str, dict[str, Counter[str]]] = defaultdict(lambda: {name: Counter() for name in SETS})
    pair = {item.item_id: item.pair_id for item in items}
    for one in arms:
        for name in SETS:
            scored = one.scores[name]
            scored = _pairs(scored, pair) if name == "pst" else scored
            named[one.system][name].update(scored)
    rivals = [(system, BASE) for system in named if system != BASE and BASE in named]
    rivals += [(REWARD, control) for control in named if REWARD in named and summary.is_control(control)]
    return [_compared(system, against, name, named) for system, against in rivals for name in SETS]


def _pairs(scored: Mapping[str, float], pair: Mapping[str, str]) -> dict[str, float]:
    won: dict[str, float] = {}
    for item, score in scored.items():
        won[pair[item]] = min(won.get(pair[item], 1.0), score)
    return won


def _compared(system: str, against: str, name: str, named: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Compared:
    one, other = named[system][name], named[against][name]
    shared = one.keys() & other.keys()
    better = sum(one[q] > other[q] for q in shared)
    worse = sum(one[q] < other[q] for q in shared)
    return Compared(system, against, KEY[name], better, worse, statistics.mcnemar(one, other))


def assemble(
    recipe: Recipe, seats: Sequence[Seat], paid: Mapping[Path, Mapping[str, float]], made: Materials, command: str
) -> Results:
    """Everything, as results.json has it. paid: by the folder of an arm, what its training cost."""
    items = list(store.open(made.pst).items())
    beside = {
        seed: latencies([seat for seat in seats if seat.seed == seed], recipe.price) for seed in range(recipe.seeds)
    }
    arms = [
        arm(seat, figures(seat, items) | {"cost": beside[seat.seed][seat.system]}, paid[seat.folder]) for seat in seats
    ]
    return Results(
        format=results.FORMAT,
        pstgen=results.versions(())["pstgen"],
        command=command,
        device=device(),
        recipe=results.told(recipe),
        libraries=results.versions(LIBRARIES),
        materials={"pst": len(items), "vqa": len(arms[0].scores["vqa"]), "gqa": len(arms[0].scores["gqa"])},
        arms=arms,
        intervals=intervals(arms, items),
        compared=compare(arms, items),
    )


def device() -> str:
    """What it ran on: the accelerator's name, or the processor's."""
    import platform

    import torch
    from joblib import cpu_count

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = (line for line in info.read_text().splitlines() if line.startswith("model name"))
        model = next(islice(lines, 1), model).partition(":")[2].strip() or model
    return f"{model}, {cpu_count()} cores"
