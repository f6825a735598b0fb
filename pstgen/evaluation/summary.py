"""The report's figures as they are told: in the form of the published claim, with intervals, or why there is none."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pstgen.core import plugins, statistics
from pstgen.evaluation import results as book
from pstgen.evaluation.results import Compared, Results

BASE, REWARD = "standard", "perceptual_reward"
NOT_OURS = "published claim, other data and models; not measured here"
NONE = "-"
FLOPS, LATENCY = "flops", "cost/p50"


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of results.json, and what stands above it. form: how it is written, without its unit."""

    figure: str
    head: str
    form: str = "{:.1f}"


VQA, GQA, PAIR = Column("vqa/overall", "VQA v2"), Column("gqa/accuracy", "GQA"), Column("pst/pair", "PST pairs")
ITEMS, STRESS = Column("pst/item", "PST items"), Column("pst/stress", "PST stress")
LANGUAGE, PERPLEXITY = Column("language/choice", "language"), Column("language/perplexity", "perplexity", "{:.2f}")
MILLISECONDS = Column(LATENCY, "latency p50, ms")
REACHED = (VQA, GQA, PAIR, ITEMS, STRESS, LANGUAGE)

PUBLISHED: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "standard VLM": {VQA.figure: 78.2, GQA.figure: 62.1, PAIR.figure: 41.3, LATENCY: 1.0, FLOPS: 1.0},
        "with perceptual reward": {VQA.figure: 83.4, GQA.figure: 68.9, PAIR.figure: 79.6, LATENCY: 0.86, FLOPS: 1.2},
    }
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; low and high are the mean where nothing was repeated."""

    mean: float
    low: float
    high: float

    @property
    def bounded(self) -> bool:
        """Is there an interval?"""
        return self.low < self.high

    @property
    def reach(self) -> float:
        """Half the interval."""
        return (self.high - self.low) / 2

    def told(self, form: str = "{:.1f}") -> str:
        """As text.

        >>> Estimate(41.34, 38.9, 43.7).told(), Estimate(41.34, 41.34, 41.34).told()
        ('41.3 [38.9, 43.7]', '41.3')
        """
        bounds = f" [{form.format(self.low)}, {form.format(self.high)}]" if self.bounded else ""
        return form.format(self.mean) + bounds


def systems(results: Results) -> list[str]:
    """Every system that was measured, the controls apart: standard, perceptual reward, then as they come."""
    return _ordered(results, {arm.system for arm in results.arms if not is_control(arm.system)})


def controls(results: Results) -> list[str]:
    """Every control that was measured, as they come."""
    return _ordered(results, {arm.system for arm in results.arms if is_control(arm.system)})


def is_control(system: str) -> bool:
    """Is it there to show that a gain means something?"""
    return bool(getattr(_plan(system), "control", False))


def _ordered(results: Results, names: set[str]) -> list[str]:
    place = {arm.system: n for n, arm in enumerate(results.arms)}
    return sorted(names, key=lambda name: ((BASE, REWARD).index(name) if name in {BASE, REWARD} else 2, place[name]))


def reward(system: str, results: Results) -> float | None:
    """Lambda of a system on the trade-off between seeing and language; None of one that is not on it."""
    name, _, told = system.partition("@")
    if system == "stage1_only":
        return 0.0
    if name != REWARD:
        return None
    return float(told) if told else float(results.recipe.get("reward", 0.0))


def estimate(results: Results, system: str, figure: str) -> Estimate | None:
    """Of a system over its seeds; None where any seed has no such figure."""
    told = results.intervals.get(system, {}).get(figure)
    if told:
        return Estimate(*told)
    mean = book.mean(book.of_system(results, system), figure)
    return None if mean is None else Estimate(mean, mean, mean)


def gain(results: Results, figure: str = "pst/pair") -> Estimate | None:
    """Perceptual reward less the standard system, seed by seed, in points; None where either is missing."""
    one, other = (
        {arm.seed: arm.figures[figure] for arm in book.of_system(results, name) if figure in arm.figures}
        for name in (REWARD, BASE)
    )
    apart = [one[seed] - other[seed] for seed in sorted(one.keys() & other.keys())]
    if not apart:
        return None
    return Estimate(*statistics.interval(apart)) if len(apart) > 1 else Estimate(apart[0], apart[0], apart[0])


def relative(results: Results, system: str, figure: str) -> float | None:
    """How many times the standard system's: training FLOPs, or a figure. None where either is missing."""
    one, other = (_amount(results, name, figure) for name in (system, BASE))
    return one / other if one is not None and other else None


def _amount(results: Results, system: str, figure: str) -> float | None:
    arms = book.of_system(results, system)
    if figure == FLOPS:
        return sum(arm.flops for arm in arms) / len(arms) if arms else None
    return book.mean(arms, figure)


def against(results: Results, system: str, metric: str, other: str = BASE) -> Compared | None:
    """McNemar's test of one system against another on one exam, where it was made."""
    return next((c for c in results.compared if (c.system, c.against, c.metric) == (system, other, metric)), None)


def probability(p: float) -> str:
    """A p value as text.

    >>> probability(0.0421), probability(3e-9)
    ('0.042', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def times(ratio: float | None) -> str:
    """How many times, as text.

    >>> times(1.204), times(None)
    ('1.20x', '-')
    """
    return NONE if ratio is None else f"{ratio:.2f}x"


def about(system: str) -> str:
    """What a system is, in the words of its own file."""
    name, _, told = system.partition("@")
    if name not in plugins.names("systems"):
        return ""
    words = str(plugins.load("systems", name).__doc__).strip().splitlines()[0].removeprefix("Control: ")
    return f"{words[0].upper()}{words[1:]}" + (f" Lambda is {told}." if told else "")


def trained(system: str) -> bool:
    """Has it weights of its own, or does it answer with another system's?"""
    return not getattr(_plan(system), "of", "")


def _plan(system: str) -> Any:
    name = system.partition("@")[0]
    return plugins.load("systems", name).PLAN if name in plugins.names("systems") else None


def why(results: Results, system: str, figure: str) -> str:
    """Why a system has no such figure."""
    arms = book.of_system(results, system)
    metric = figure.partition("/")[0]
    plan, wanted = _plan(system), results.recipe.get("evaluations") or ()
    given = [arm.absent[name] for arm in arms for name in (figure, f"{metric}/overall", metric) if name in arm.absent]
    if given:
        return given[0]
    if wanted and metric not in wanted and metric not in {"pst", "vqa", "gqa", "latency", "cost"}:
        return "the recipe leaves this out"
    if plan and plan.of and metric in {"language", "attention"}:
        return f"answers with the weights of {plan.of}: see there"
    if plan and not plan.sees and metric in {"attention", "robustness"}:
        return "never sees an image"
    if plan and plan.told != "chain" and metric == "chains":
        return "says no chain"
    seeds = [str(arm.seed) for arm in arms if figure not in arm.figures]
    return f"was not measured under seed {', '.join(seeds)}" if len(seeds) < len(arms) else "was not measured"


def reasons(results: Results, columns: Sequence[Column]) -> list[str]:
    """One line for every reason why there is none of a figure, with the systems that lack it."""
    lacking: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for column in columns:
        for system in (*systems(results), *controls(results)):
            if estimate(results, system, column.figure) is None:
                lacking[column.head, why(results, system, column.figure)].append(system)
    everyone = len(systems(results)) + len(controls(results))
    return [
        f"{head}, {'all' if len(names) == everyone else ', '.join(names)}: {reason}"
        for (head, reason), names in lacking.items()
    ]


def seeds(results: Results) -> int:
    """How many seeds there were."""
    return len({arm.seed for arm in results.arms})


def basis(results: Results) -> str:
    """What the intervals are over."""
    n = seeds(results)
    if n > 1:
        return f"Means over {n} seeds, with 95 % intervals over seeds."
    return (
        "One seed; PST pairs with 95 % bootstrap intervals over pairs, which do not tell what another seed would give."
    )
