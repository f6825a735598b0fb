"""Which pairs stay: those whose words mislead every baseline, in fair shares, each letter as often as the next."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from pstgen.core import reasons
from pstgen.core.config import BuildConfig
from pstgen.core.records import Item, Report, Verdict, origin
from pstgen.questions.wording import Wording

SPREAD = "its scenes give all they may (--pairs-per-scene)"
SHARED = "its family has all it may (--max-family-share)"


def falls(item: Item, verdicts: Iterable[Verdict]) -> bool:
    """Does every baseline give the lure?

    >>> item = Item(item_id="a", pair_id="p", role="stress", scene_id="1", image="", family="count", form="many",
    ...             about=("cup",), frame="neutral", question="?", neutral="?", options=("1", "2"), answer="2", lure="1")
    >>> falls(item, [Verdict(item_id="a", judge="prior", logprobs=(-0.1, -2.0))])
    True
    """
    return all(item.options[verdict.choice] == item.lure for verdict in verdicts)


def select(
    fallen: Iterable[Wording], config: BuildConfig, dropped: Counter[tuple[str, str]] | None = None
) -> list[Wording]:
    """Of the wordings that every baseline falls for, one a pair: each family's strongest pull first, in fair shares.

    No scene gives more than `pairs_per_scene` pairs, no family is more than its share, and the same thing of a scene is
    asked about again only after everything else. dropped: counts what is not kept, by family and reason.
    """
    first = {wording[0].pair_id: wording for wording in reversed(list(fallen))}
    ranked = _rare_first(first.values())
    spread = list(_spread(ranked, config))
    shared = _shared(spread, config.max_family_share)
    if dropped is not None:
        for reason, before, after in ((SPREAD, ranked, spread), (SHARED, spread, shared)):
            lost = Counter(wording[0].family for wording in before)
            lost.subtract(wording[0].family for wording in after)
            dropped.update({(family, reason): n for family, n in lost.items() if n})
    return shared


def _rank(wording: Wording) -> tuple[float, str]:
    return -wording[0].difficulty, sha256(wording[0].pair_id.encode()).hexdigest()


def _rare_first(wordings: Collection[Wording]) -> list[Wording]:
    """The smallest family first, each by its rank: a large family takes the scenes that small ones leave."""
    sizes = Counter(wording[0].family for wording in wordings)
    return sorted(wordings, key=lambda wording: (sizes[wording[0].family], wording[0].family, *_rank(wording)))


def _spread(ranked: Iterable[Wording], config: BuildConfig) -> Iterator[Wording]:
    """Use every scene a few times at most; what asks again of a thing in a scene comes after all that is fresh."""
    scenes: Counter[str] = Counter()
    asked: set[tuple[str, str, str, str]] = set()
    again: list[Wording] = []

    def room(wording: Wording) -> bool:
        return all(scenes[origin(item.scene_id)] < config.pairs_per_scene for item in wording)

    for wording in ranked:
        things = {(item.scene_id, item.family, item.form, item.about[0]) for item in wording}
        if not asked.isdisjoint(things):
            again.append(wording)
        elif room(wording):
            scenes.update({origin(item.scene_id) for item in wording})
            asked |= things
            yield wording
    for wording in again:
        if room(wording):
            scenes.update({origin(item.scene_id) for item in wording})
            yield wording


def _shared(wordings: list[Wording], most: float) -> list[Wording]:
    """Trim, last ones first, every family that is more than its share; a family on its own is left as it is."""
    families = Counter(wording[0].family for wording in wordings)
    while len(families) > 1 and max(families.values()) > most * families.total():
        family, size = families.most_common(1)[0]
        room = int(most / (1 - most) * (families.total() - size)) if most < 1 else size
        families[family] = min(room, size - 1)
    kept: Counter[str] = Counter()
    chosen: list[Wording] = []
    for wording in wordings:
        family = wording[0].family
        if kept[family] < families[family]:
            kept[family] += 1
            chosen.append(wording)
    return chosen


def lettered(wordings: Sequence[Wording]) -> Iterator[Wording]:
    """Give twins one order of options, so that lure and answers land on each letter equally often.

    The lure and the first stress twin's answer take turns through all ordered couples of places.
    """
    turn: Counter[int] = Counter()
    for wording in sorted(wordings, key=lambda twins: twins[0].pair_id):
        stress = wording[0]
        size = len(stress.options)
        order = _order(stress, turn[size])
        turn[size] += 1
        yield tuple(replace(item, options=order) for item in wording)


def _order(stress: Item, turn: int) -> tuple[str, ...]:
    """The `turn`-th of the n(n-1) ways to place lure and truth; the others follow in natural order."""
    size = len(stress.options)
    lure_at = turn % size
    truth_at = (lure_at + 1 + turn // size % (size - 1)) % size
    placed: Mapping[int, str] = {lure_at: stress.lure, truth_at: stress.answer}
    others = (option for option in stress.options if option not in placed.values())
    return tuple(placed[n] if n in placed else next(others) for n in range(size))


def nothing(report: Report, config: BuildConfig) -> str:
    """Why no pair is left: how far things came, the commonest reasons at the station that let nothing through, and advice."""
    stations = {name: by.total() for name, by in report.stations.items()}
    came = ", ".join(f"{n:,} {station}" for station, n in stations.items())
    told = _reasons(report)
    why = "; ".join(f"{n:,} {what}" for what, n in told[:3]) if told else "nothing was refused"
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
        return "Every question has one answer in these scenes: more scenes give twins" + (
            f", and so does a --min-pull below {config.min_pull:g}" if config.min_pull else ""
        )
    strictest = min((name for name in stations if name.startswith("fooled ")), key=stations.__getitem__, default="")
    if strictest and not stations[strictest]:
        return (
            f"No wording misled {strictest.removeprefix('fooled ')}: more --wordings or --candidates, or other judges"
        )
    return "More --wordings, more --candidates or more scenes give more"
