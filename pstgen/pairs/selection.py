"""Which wordings mislead every baseline; each letter as often as the next."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from pstgen.core import reasons
from pstgen.core.config import BuildConfig
from pstgen.core.progress import Progress
from pstgen.core.records import Item, Pair, Score, Verdict
from pstgen.core.report import Report

DIGITS = 4  # of log-probabilities on the disk: later ones change with processor and number of threads
JUDGING = "wordings for models"
OF_PAIR = ("pair_id", "frame", "question", "options", "lure")  # of an item and its scores


class Baseline(Protocol):
    """A judge that is given the words alone. durable: what it says of a wording depends on that wording alone."""

    name: str
    durable: bool


@dataclass
class Trial:
    """Baselines answer wordings, and what they say is recorded.

    answer: one verdict an item. mine: by its name, are durable baselines to judge a pair? It is done with where they are not.
    fooled: judge → pair → family, of the pairs with a wording that fooled that judge.
    """

    answer: Callable[..., Iterable[Verdict]]
    report: Report
    progress: Progress
    mine: Callable[[str], bool] = bool
    scores: list[Score] = field(default_factory=list)
    fooled: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def misled(self, wordings: dict[str, Pair], baselines: Sequence[Baseline]) -> list[Pair]:
        """One wording of each pair for which every baseline falls, where there is one.

        A baseline gets only what twins share, so it answers once a wording; the next one judges what the last has left.
        Judges that learn from all the items together see all wordings at once; durable ones, which cost most, see one
        wording a pair and round, and no more of a pair that has fallen.
        """
        for judge in baselines:
            if not judge.durable:
                wordings = self._left(judge, wordings)
        slow = [judge for judge in baselines if judge.durable]
        wordings = {name: pair for name, pair in wordings.items() if self.mine(pair.pair_id)}
        fallen: dict[str, Pair] = {}
        done, total = 0, len(wordings) * len(slow)
        for batch in _rounds(wordings):
            left = {name: pair for name, pair in batch.items() if pair.pair_id not in fallen}
            for judge in slow:
                left = self._left(judge, left, done, total)
                done += len(batch)
            fallen |= {pair.pair_id: pair for pair in left.values()}
        self.progress.reach(JUDGING, total, total)
        for name, pairs in self.fooled.items():
            self.report.count(f"fooled {name}", pairs.values())
        return list(fallen.values())

    def _left(self, judge: Baseline, wordings: dict[str, Pair], done: int = 0, total: int = 0) -> dict[str, Pair]:
        """Let the judge answer each wording once; keep those for which it falls.

        total: of all wordings and durable judges together, of which `done` are behind; 0 where the judge is not durable.
        """
        items = [replace(pair.control, item_id=name) for name, pair in wordings.items()]
        left: dict[str, Pair] = {}
        for n, (name, verdict) in enumerate(zip(wordings, self.answer(judge, items), strict=True), 1):
            pair = wordings[name]
            self.scores.append(score(pair.control, verdict, item_id=""))
            if falls(pair.control, [verdict]):
                left[name] = pair
            self.report.judged += judge.durable
            if total:
                self.progress.reach(JUDGING, done + n, total)
        self.fooled[judge.name] |= {pair.pair_id: pair.family for pair in left.values()}
        return left


def _rounds(wordings: dict[str, Pair]) -> Iterator[dict[str, Pair]]:
    """The first wording of every pair, then the second, and so on."""
    queues: defaultdict[str, list[str]] = defaultdict(list)
    for name, pair in wordings.items():
        queues[pair.pair_id].append(name)
    for n in range(max(map(len, queues.values()), default=0)):
        yield {queue[n]: wordings[queue[n]] for queue in queues.values() if n < len(queue)}


def score(item: Item, verdict: Verdict, item_id: str) -> Score:
    """A verdict as it is written. item_id: whose image was seen, "" where none was."""
    shared: dict[str, Any] = {name: getattr(item, name) for name in OF_PAIR}
    return Score(
        **shared,
        item_id=item_id,
        judge=verdict.judge,
        logprobs=tuple(round(logprob, DIGITS) for logprob in verdict.logprobs),
        calibrated=tuple(round(logprob, DIGITS) for logprob in verdict.calibrated),
        choice="" if verdict.choice is None else item.options[verdict.choice],
        kept=False,
    )


def mark_kept(scores: Iterable[Score], kept: Sequence[Pair]) -> list[Score]:
    """The scores, sorted; those of the wordings that are in the dataset say so."""
    wordings = {(pair.pair_id, pair.control.frame, pair.question) for pair in kept}
    marked = (replace(score, kept=(score.pair_id, score.frame, score.question) in wordings) for score in scores)
    return sorted(marked, key=lambda score: (score.pair_id, score.frame, score.question, score.judge, score.item_id))


def falls(item: Item, verdicts: Iterable[Verdict]) -> bool:
    """Does every baseline give the lure?

    >>> item = Item(item_id="a", pair_id="p", role="stress", scene_id="1", image="", family="count", form="many",
    ...             about=("cup",), frame="neutral", question="?", neutral="?", options=("1", "2"), answer="2", lure="1")
    >>> falls(item, [Verdict(item_id="a", judge="prior", logprobs=(-0.1, -2.0))])
    True
    """
    return all(verdict.choice is not None and item.options[verdict.choice] == item.lure for verdict in verdicts)


def lettered(wordings: Sequence[Pair]) -> Iterator[Pair]:
    """Give twins one order of options, so that lure and answers land on each letter equally often.

    The lure and the first stress twin's answer take turns through all ordered couples of places.
    """
    ordered = sorted(wordings, key=lambda pair: pair.pair_id)
    for pair, places in zip(ordered, places_in_turn(ordered), strict=True):
        yield pair.map(partial(replace, options=_order(pair.stress[0], *places)))


def places_in_turn(pairs: Iterable[Pair]) -> Iterator[tuple[int, int]]:
    """Where lure and the first stress twin's answer stand, for each of the pairs in the order of their names."""
    turn: Counter[int] = Counter()
    for pair in pairs:
        size = len(pair.options)
        lure_at = turn[size] % size
        yield lure_at, (lure_at + 1 + turn[size] // size % (size - 1)) % size
        turn[size] += 1


def _order(stress: Item, lure_at: int, truth_at: int) -> tuple[str, ...]:
    """Lure and truth at their places; the others follow in natural order."""
    placed: Mapping[int, str] = {lure_at: stress.lure, truth_at: stress.answer}
    others = (option for option in stress.options if option not in placed.values())
    return tuple(placed[n] if n in placed else next(others) for n in range(len(stress.options)))


def nothing(report: Report, config: BuildConfig) -> str:
    """Why no pair is left: how far things came, the commonest reasons at the station that let nothing through, and advice."""
    stations = {name: by.total() for name, by in report.stations.items()}
    came = ", ".join(f"{n:,} {station}" for station, n in stations.items())
    why_refused = _reasons(report)
    why = "; ".join(f"{n:,} {what}" for what, n in why_refused[:3]) if why_refused else "nothing was refused"
    return f"no pair is left ({came}). {why}. {_advice(report, stations, config)}"


def _reasons(report: Report) -> list[tuple[str, int]]:
    """What was turned away where the road ended, the commonest first."""
    left_out = reasons.left_out(report.refused.records)
    if not report.stations.get("known facts"):
        return left_out
    if report.stations.get("candidate pairs"):
        return [(f"dropped of {family}: {reason}", n) for (family, reason), n in report.dropped.most_common()]
    facts = Counter({f"facts unknown ({family}: {reason})": n for (family, reason), n in report.refused.facts.items()})
    return [*left_out, *facts.most_common()][:3]


def _advice(report: Report, stations: Mapping[str, int], config: BuildConfig) -> str:
    if not stations.get("known facts"):
        if report.refused.records:
            return "Mend these pictures or records, or name others"
        return "Annotated things are too small, cut off or too few to be asked about: other scenes, or --family"
    if not stations.get("candidate pairs"):
        fed = f"{n:,} scene{'s' * (n != 1)}" if (n := stations.get("scenes for the prior", 0)) else "no scenes"
        return (
            f"No question has two answers in these scenes, one of which the prior surely expects; it rests on {fed}: more scenes, "
            "for items or for the prior (--prior-annotations, --prior-file)"
        ) + (f", or a --min-pull below {config.pairs.min_pull:g}" if config.pairs.min_pull else "")
    strictest = min((name for name in stations if name.startswith("fooled ")), key=stations.__getitem__, default="")
    if strictest and not stations[strictest]:
        return (
            f"No wording misled {strictest.removeprefix('fooled ')}: more --wordings or --candidates, or other judges"
        )
    return "More --wordings, more --candidates or more scenes give more"
