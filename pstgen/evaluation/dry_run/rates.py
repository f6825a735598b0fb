"""How many questions the models of a build are asked, from what builds of several sizes came to.

benchmarks/build_rates.py measures such builds, and rates.yaml beside this file has the figures. Between two sizes lines are
straight; outside, pairs are taken to grow as the scenes do, and shares to stay as they are.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import msgspec

from pstgen.core import reading
from pstgen.core.config import BuildConfig
from pstgen.evaluation.dry_run.number import Number
from pstgen.models.calibration import MOST as MOST_ORDINARY
from pstgen.models.panel import COMPARED

BLIND = ("lm", "vlm/no-image", "vlm/grey-image", "vlm/other-image")  # models that never see an item's image, in turn
SEEING = "vlm/seeing"
VIEWS = {"lm": BLIND[:1], "vlm": (*BLIND[1:], SEEING), "endpoint": (*BLIND[1:], SEEING)}  # by the judge's name
READS_TEXT = ("lm", "vlm")  # judges whose associations are asked for: a server's are not
OTHER_WAYS = {"vlm": 2, "endpoint": 1}  # of asking, in which the seeing model answers a few items again
MOST_TWINS = 4  # of a pair: an item for each option
WORLD = "world"


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one build by text baselines alone came to.

    scenes: that gave items. pairs: found, by family. candidates: of them, the strongest of each family. wordings: of those;
    texts: different ones. fallen: pairs with a wording that misled the text baselines; left: such wordings. kept: pairs.
    seconds: of CPU time, of all its processes.
    """

    scenes: int
    pairs: dict[str, int]
    candidates: int
    wordings: int
    texts: int
    fallen: int
    left: int
    kept: int
    seconds: float


class Builds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Builds of one kind. prior: scenes that its prior rests on, 0 where those grow with the others. points: by their scenes."""

    what: str
    prior: int
    points: list[Point]


class Models(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What models did.

    agreed: of the candidates, the share that none of them finds unexpected. ordinary: different questions that each blind one
    is tried with. items: of a kept pair.
    """

    agreed: float
    ordinary: int
    items: float


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in rates.yaml.

    wordings: of a pair, at most, in those builds. misled: of the wordings that a blind model is asked, the share that misleads
    it. models: by the kind of source. bytes_a_verdict: of the journal. seconds: of CPU time, for 1,000 of what is named.
    questions: with their options, evenly drawn from such a build, to count tokens of.
    """

    world: list[Builds]
    photographs: list[Builds]
    wordings: int
    misled: dict[str, float]
    models: dict[str, Models]
    bytes_a_verdict: float
    seconds: dict[str, float]
    questions: list[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Asked:
    """What a build would come to.

    candidates: pairs that go to the judges. wordings: of those. pairs: that are kept. items: of those. judges: questions of
    each that is a model, by its name, without what is asked twice. beyond: scenes of the largest build that was measured,
    where there are more here, or 0. unmeasured: families without figures, which are expected to give nothing.
    """

    candidates: Number
    wordings: Number
    pairs: Number
    items: Number
    judges: Mapping[str, Number]
    beyond: int
    unmeasured: tuple[str, ...]


Value = Callable[[Point], float]


@cache
def read() -> Rates:
    """What was measured."""
    return reading.yaml_of(Path(__file__).with_name("rates.yaml").read_bytes(), Rates)


def between(points: Sequence[Point], scenes: int, value: Value, *, grows: bool = False) -> float:
    """A figure of a build of so many scenes, on straight lines between builds that were measured.

    grows: is it a number, in proportion to the scenes outside what was measured? Else it is the nearest build's.

    >>> few, many = (Point(scenes, {}, found, 0, 0, 0, 0, 0, 0.0) for scenes, found in ((100, 50), (200, 300)))
    >>> [between([few, many], scenes, lambda point: point.candidates, grows=True) for scenes in (10, 150, 400)]
    [5.0, 175.0, 600.0]
    """
    first, last = points[0], points[-1]
    if scenes <= first.scenes:
        return value(first) * (scenes / first.scenes if grows else 1.0)
    if scenes >= last.scenes:
        return value(last) * (scenes / last.scenes if grows else 1.0)
    above = next(n for n, point in enumerate(points) if point.scenes > scenes)
    a, b = points[above - 1], points[above]
    return value(a) + (scenes - a.scenes) / (b.scenes - a.scenes) * (value(b) - value(a))


def of_prior(builds: Sequence[Builds], prior: int, scenes: int, value: Value, *, grows: bool = False) -> float:
    """The same where builds differ in the scenes that their prior rests on: on a straight line over the logarithm of those."""
    figures = [between(each.points, scenes, value, grows=grows) for each in builds]
    if len(builds) == 1:
        return figures[0]
    few, many = (math.log(each.prior) for each in builds)
    share = min(1.0, max(0.0, (math.log(max(1, prior)) - few) / (many - few)))
    return figures[0] + share * (figures[1] - figures[0])


def asked(config: BuildConfig, families: Sequence[str], prior: int, scenes: int) -> Asked:
    """What a build with these settings would ask. prior: scenes that it rests on; scenes: that give items."""
    rates, kind = read(), WORLD if config.source.name == WORLD else "photographs"
    builds: list[Builds] = getattr(rates, kind)
    figure, of_models = partial(of_prior, builds, prior, scenes), rates.models[kind]
    names = [name for judge in config.judges.names for name in VIEWS.get(judge, ())]
    most = len(families) * config.pairs.candidates
    found = sum(min(config.pairs.candidates, figure(partial(_found, family), grows=True)) for family in families)
    candidates = found * (of_models.agreed if set(READS_TEXT) & {*config.judges.names} else 1.0)
    tries = config.judges.wordings / rates.wordings
    worded = tries * figure(lambda point: point.wordings / point.candidates)
    fallen = candidates * figure(lambda point: point.fallen / point.candidates)
    left = max(1.0, tries * figure(lambda point: point.left / point.fallen))
    new = figure(lambda point: point.texts / point.wordings)
    blind = [name for name in names if name in BLIND]
    wordings, misled = in_turn(fallen, left, [rates.misled[name] for name in blind])
    kept = Number(misled * figure(lambda point: point.kept / point.fallen), _kept_at_most(config, most, scenes))
    items = Number(of_models.items * kept.expected, MOST_TWINS * kept.most)
    at_most = float(MOST_ORDINARY + most * config.judges.wordings)
    judges = {
        name: Number(min(at_most, of_models.ordinary + new * n), at_most)
        for name, n in zip(blind, wordings, strict=True)
    }
    if SEEING in names:
        again = OTHER_WAYS["endpoint" if "endpoint" in config.judges.names else "vlm"]
        judges[SEEING] = Number(*(n + again * compared(n) for n in (items.expected, items.most)))
    largest = max(each.points[-1].scenes for each in builds)
    return Asked(
        candidates=Number(candidates, most),
        wordings=Number(candidates * worded, most * config.judges.wordings),
        pairs=kept,
        items=items,
        judges=judges,
        beyond=largest if scenes > largest else 0,
        unmeasured=tuple(name for name in families if not any(_found(name, p) for b in builds for p in b.points)),
    )


def in_turn(pairs: float, wordings: float, misled: Sequence[float]) -> tuple[list[float], float]:
    """How many wordings each of several judges is asked, and how many pairs mislead all of them in the end.

    Each round takes another wording of the pairs that have not misled all; a judge gets what misled those before it.
    wordings: of a pair. misled: of the wordings that a judge gets, the share that misleads it.

    >>> in_turn(100, 2, [0.5, 0.5])
    ([175.0, 87.5], 43.75)
    """
    whole = math.prod(misled)
    rounds = (1 - (1 - whole) ** wordings) / whole
    return [pairs * rounds * math.prod(misled[:n]) for n in range(len(misled))], pairs * rounds * whole


def compared(items: float) -> int:
    """On how many items the ways of asking are compared."""
    whole = int(items)
    return len(range(0, whole, max(1, -(-whole // COMPARED))))


def _found(family: str, point: Point) -> float:
    return float(point.pairs.get(family, 0))


def _kept_at_most(config: BuildConfig, candidates: int, scenes: int) -> float:
    """Every twin shows a scene, and none gives more than it may."""
    return float(min(candidates, config.selection.pairs_per_scene * scenes))
