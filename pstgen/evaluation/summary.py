"""What results.json says, for tables and plots: figures with intervals, in the form of the published claim, or why they are missing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from pstgen.core import plugins, statistics
from pstgen.evaluation import metrics
from pstgen.evaluation.metrics import Headline
from pstgen.evaluation.results import Comparison, Results, mean, of_system
from pstgen.training import systems as system_plugins
from pstgen.training.systems import Plan

BASE, REWARD = "standard", "perceptual_reward"
NOT_OURS = "published claim, other data and models; not measured here"
NONE = "-"
SYNTHETIC = {"vqa": "VQA-style, synthetic", "gqa": "GQA-style, synthetic"}  # by metric
SYNTHETIC_HEADINGS = {"vqa": "VQA style", "gqa": "GQA style"}
FLOPS = "flops"


# ---------------------------------------------------------------------------------------------------------- columns


@dataclass(frozen=True, slots=True)
class Column:
    """A headline figure of a metric: a column of a table, a bar of a plot."""

    metric: str
    headline: Headline

    @property
    def figure(self) -> str:
        """As results.json calls it."""
        return f"{self.metric}/{self.headline.name}"

    @property
    def label(self) -> str:
        """What it is called."""
        return self.headline.label

    @property
    def heading(self) -> str:
        """What it is called where there is little room."""
        return self.headline.heading or self.headline.label

    def text(self, value: float) -> str:
        """A value, without its unit."""
        return f"{value:.{self.headline.digits}f}"


@cache
def columns() -> tuple[Column, ...]:
    """Every headline figure of every metric, third parties' included, in the order in which tables show them."""
    every = (Column(metric, headline) for metric in plugins.names("metrics") for headline in metrics.headlines(metric))
    return tuple(sorted(every, key=lambda column: column.headline.place))


def label(column: Column, results: Results) -> str:
    """What the column's figure is called in this run: benchmarks whose questions are the world's own are not called by their names."""
    return SYNTHETIC.get(column.metric, column.label) if results.synthetic else column.label


def heading(column: Column, results: Results) -> str:
    """The same where there is little room."""
    return SYNTHETIC_HEADINGS.get(column.metric, column.heading) if results.synthetic else column.heading


def table_columns() -> tuple[Column, ...]:
    """The columns of the table that the command prints."""
    return tuple(column for column in columns() if column.headline.in_table)


def compared_columns() -> tuple[Column, ...]:
    """The figures by which systems are compared: those of pairs first."""
    compared = (column for column in columns() if column.headline.compared)
    return tuple(sorted(compared, key=lambda column: column.headline.compared != "pair"))


def _column(metric: str, name: str) -> Column:
    """One of our own metrics' headline figures."""
    return next(Column(metric, headline) for headline in metrics.headlines(metric) if headline.name == name)


VQA, GQA, PAIR = _column("vqa", "overall"), _column("gqa", "accuracy"), _column("pst", "pair")
LANGUAGE, PERPLEXITY = _column("language", "choice"), _column("language", "perplexity")
MILLISECONDS = _column("cost", "p50")
LATENCY = MILLISECONDS.figure

PUBLISHED: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "standard VLM": {VQA.figure: 78.2, GQA.figure: 62.1, PAIR.figure: 41.3, LATENCY: 1.0, FLOPS: 1.0},
        "with perceptual reward": {VQA.figure: 83.4, GQA.figure: 68.9, PAIR.figure: 79.6, LATENCY: 0.86, FLOPS: 1.2},
    }
)


# ---------------------------------------------------------------------------------------------------------- figures


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
    def half_width(self) -> float:
        """Half the interval."""
        return (self.high - self.low) / 2

    def text(self, digits: int = 1) -> str:
        """As text, with so many digits after the decimal point.

        >>> Estimate(41.34, 38.9, 43.7).text(), Estimate(41.34, 41.34, 41.34).text(2)
        ('41.3 [38.9, 43.7]', '41.34')
        """
        bounds = f" [{self.low:.{digits}f}, {self.high:.{digits}f}]" if self.bounded else ""
        return f"{self.mean:.{digits}f}{bounds}"


def estimate(results: Results, system: str, figure: str) -> Estimate | None:
    """Of a system over its seeds; None where any seed has no such figure."""
    interval = results.intervals.get(system, {}).get(figure)
    if interval:
        return Estimate(*interval)
    value = mean(of_system(results, system), figure)
    return None if value is None else Estimate(value, value, value)


def gain(results: Results) -> Estimate | None:
    """Perceptual reward less the standard system in pairs won, seed by seed, in points; None where either is missing."""
    reward, base = (
        {arm.seed: arm.figures[PAIR.figure] for arm in of_system(results, name) if PAIR.figure in arm.figures}
        for name in (REWARD, BASE)
    )
    differences = [reward[seed] - base[seed] for seed in sorted(reward.keys() & base.keys())]
    if not differences:
        return None
    if len(differences) == 1:
        return Estimate(differences[0], differences[0], differences[0])
    return Estimate(*statistics.student_interval(differences))


def relative(results: Results, system: str, figure: str) -> float | None:
    """How many times the standard system's: training FLOPs, or a figure. None where either is missing."""
    amount, base = (_amount(results, name, figure) for name in (system, BASE))
    return amount / base if amount is not None and base else None


def _amount(results: Results, system: str, figure: str) -> float | None:
    arms = of_system(results, system)
    if figure == FLOPS:
        return sum(arm.flops for arm in arms) / len(arms) if arms else None
    return mean(arms, figure)


def against(results: Results, system: str, figure: str, other: str = BASE) -> Comparison | None:
    """McNemar's test of one system against another by one figure, where it was made."""
    tests = (test for test in results.compared if (test.system, test.against) == (system, other))
    return next((test for test in tests if test.metric == figure), None)


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


# ---------------------------------------------------------------------------------------------------------- systems


def systems(results: Results) -> list[str]:
    """Every system that was measured, without the controls: standard, perceptual reward, then as they come."""
    return _in_order(results, {arm.system for arm in results.arms if not is_control(arm.system)})


def controls(results: Results) -> list[str]:
    """Every control that was measured, as they come."""
    return _in_order(results, {arm.system for arm in results.arms if is_control(arm.system)})


def _in_order(results: Results, names: set[str]) -> list[str]:
    place = {arm.system: n for n, arm in enumerate(results.arms)}
    return sorted(names, key=lambda name: ((BASE, REWARD).index(name) if name in {BASE, REWARD} else 2, place[name]))


def is_control(system: str) -> bool:
    """Is it there to show that a gain means something?"""
    plan = _plan(system)
    return plan is not None and plan.control


def reward_weight(system: str, results: Results) -> float | None:
    """Lambda of a system on the trade-off between seeing and language; None of one that is not on it."""
    name, _, weight = system.partition("@")
    if system == "stage1_only":
        return 0.0
    if name != REWARD:
        return None
    return float(weight) if weight else float(results.recipe.get("reward", 0.0))


def about(system: str) -> str:
    """What a system is, in the words of its own file."""
    name, _, weight = system.partition("@")
    if name not in plugins.names("systems"):
        return ""
    sentence = str(system_plugins.load(name).__doc__).strip().splitlines()[0].removeprefix("Control: ")
    return f"{sentence[0].upper()}{sentence[1:]}" + (f" Lambda is {weight}." if weight else "")


def has_own_weights(system: str) -> bool:
    """Was it trained, or does it answer with another system's weights?"""
    plan = _plan(system)
    return plan is None or not plan.weights_of


def _plan(system: str) -> Plan | None:
    """None of a system that is not installed here."""
    name = system.partition("@")[0]
    return system_plugins.load(name).PLAN if name in plugins.names("systems") else None


# ---------------------------------------------------------------------------------------------------------- reasons


def why(results: Results, system: str, metric: str, name: str) -> str:
    """Why a system has no such figure."""
    arms = of_system(results, system)
    keys = (f"{metric}/{name}", f"{metric}/overall")
    if absent := [arm.absent[key] for arm in arms for key in keys if key in arm.absent]:
        return absent[0]
    if metric in plugins.names("metrics"):
        plan, wanted = _plan(system), results.recipe.get("evaluations")
        if wanted and metric not in wanted and metrics.is_expensive(metric):
            return "the recipe leaves this out"
        if plan and (reason := metrics.inapplicable(metric, plan)):
            return reason
    lacking = [str(arm.seed) for arm in arms if keys[0] not in arm.figures]
    return f"was not measured under seed {', '.join(lacking)}" if len(lacking) < len(arms) else "was not measured"


def reasons(results: Results, shown: Sequence[Column]) -> list[str]:
    """One line for every reason why a figure is missing, with the systems that lack it."""
    lacking = defaultdict[tuple[str, str], list[str]](list)
    everyone = (*systems(results), *controls(results))
    for column in shown:
        for system in everyone:
            if estimate(results, system, column.figure) is None:
                lacking[label(column, results), why(results, system, column.metric, column.headline.name)].append(
                    system
                )
    return [
        f"{figure}, {'all' if len(names) == len(everyone) else ', '.join(names)}: {reason}"
        for (figure, reason), names in lacking.items()
    ]
