"""Which pairs are judged and which stay: the strongest, in fair shares of families, directions, options and frames."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain, cycle, zip_longest
from typing import TypeVar

from pstgen.core.config import SelectionConfig
from pstgen.core.records import Candidate, Fact, Item, Pair, origin
from pstgen.questions.wording import NEUTRAL
from pstgen.scenes import vocabulary

YES, NO, CHOICE, TWO = "yes", "no", "choice", "two"  # sorts: the lure of yes and no, four options, two others
OPPOSITE = {YES: NO, NO: YES, "more": "fewer", "fewer": "more"}
TURNS = (CHOICE, YES, CHOICE, NO, CHOICE, TWO)

FEW = 20  # pairs: a set of fewer is kept as it is, since shares of it say little

P = TypeVar("P", Candidate, Pair)
Step = Callable[[Sequence[Pair], SelectionConfig], list[Pair]]


def strongest(candidates: Iterable[Candidate], most: int, per_kind: int) -> list[Candidate]:
    """The strongest pull first, of each sort in turn; those with four options have every other turn.

    per_kind: of the pairs that ask about one kind of thing in one scene, so many come first; no more can stay.
    """
    ranked = _in_turn(candidates, lambda pair: pair.control.form, lambda pair: (-pair.pull, pair.pair_id))
    kinds: Counter[tuple[str, str]] = Counter()
    first, later = list[Candidate](), list[Candidate]()
    for pair in ranked:
        things = {(origin(fact.scene_id), _kind(fact, str(fact.truth.answer))) for fact in pair.facts}
        fresh = all(kinds[thing] < per_kind for thing in things)
        kinds.update(things if fresh else ())
        (first if fresh else later).append(pair)
    return [*first, *later][:most]


def select(
    fallen: Iterable[Pair], config: SelectionConfig, dropped: Counter[tuple[str, str]] | None = None
) -> list[Pair]:
    """Of the wordings that every baseline falls for, one a pair: each family's strongest pull first, in fair shares.

    No scene gives more than `pairs_per_scene` pairs, nor more than `pairs_per_kind` about one kind of thing; then what there is
    too much of goes, the last first: words that claim something, two options, one direction, one family. dropped: counts what
    is not kept, by family and reason.
    """
    first = {pair.pair_id: pair for pair in reversed(list(fallen))}
    kept = _step(SPREAD, _spread, _rare_first(first.values()), config, dropped)
    before = len(kept) if len(kept) < FEW else -1
    while len(kept) != before:
        before = len(kept)
        for reason, step in STEPS.items():
            kept = _step(reason, step, kept, config, dropped)
    return kept


def _step(
    reason: str, step: Step, pairs: Sequence[Pair], config: SelectionConfig, dropped: Counter[tuple[str, str]] | None
) -> list[Pair]:
    kept = step(pairs, config)
    if dropped is not None:
        lost = Counter(pair.family for pair in pairs)
        lost.subtract(pair.family for pair in kept)
        dropped.update({(family, reason): n for family, n in lost.items() if n})
    return kept


def _spread(ranked: Sequence[Pair], config: SelectionConfig) -> list[Pair]:
    """Use every scene a few times at most, and a kind of thing in it fewer times; ask nothing of it twice."""
    scenes: Counter[str] = Counter()
    kinds: Counter[tuple[str, str]] = Counter()
    facts: set[tuple[object, ...]] = set()
    kept: list[Pair] = []
    for pair in ranked:
        in_question = {(item.scene_id, item.mark, item.family, item.form, item.about) for item in pair.items}
        shown = {origin(item.scene_id) for item in pair.items}
        things = {(origin(item.scene_id), _kind(item, item.answer)) for item in pair.items}
        fresh = facts.isdisjoint(in_question) and all(scenes[scene] < config.pairs_per_scene for scene in shown)
        if fresh and all(kinds[thing] < config.pairs_per_kind for thing in things):
            scenes.update(shown)
            kinds.update(things)
            facts |= in_question
            kept.append(pair)
    return kept


def _kind(question: Item | Fact, answer: str) -> str:
    """The kind of thing in question: where it is asked which thing, the answer."""
    return vocabulary.category(answer if question.form in {"which", "what"} else next(iter(question.about), ""))


def _neutral_enough(pairs: Sequence[Pair], config: SelectionConfig) -> list[Pair]:
    """Enough of them in neutral words, where any are."""
    neutral = sum(pair.control.frame == NEUTRAL for pair in pairs)
    if not neutral or not config.min_neutral_share:
        return list(pairs)
    return _at_most(
        pairs,
        lambda pair: "" if pair.control.frame == NEUTRAL else YES,
        {YES: _rest(neutral, config.min_neutral_share)},
    )


def _options_enough(pairs: Sequence[Pair], config: SelectionConfig) -> list[Pair]:
    """Enough of them with four options, where any have; of the others the same share of every family's goes."""
    fewer = Counter(pair.family for pair in pairs if _sort(pair) != CHOICE)
    choices = len(pairs) - fewer.total()
    if not choices or not config.min_options_share:
        return list(pairs)
    share = min(1.0, _rest(choices, config.min_options_share) / max(1, fewer.total()))
    left = {family: int(share * n) for family, n in fewer.items()}
    return _at_most(pairs, lambda pair: "" if _sort(pair) == CHOICE else pair.family, left)


def _both_directions(pairs: Sequence[Pair], config: SelectionConfig) -> list[Pair]:
    """Of each sentence the lure "yes" about as often as "no", and fewer things than one expects as often as more."""
    share = config.max_direction_share
    if share >= 1:
        return list(pairs)
    counts = Counter(_group(pair, pair.direction) for pair in pairs if pair.direction)
    opposites = {
        _group(pair, pair.direction): _group(pair, OPPOSITE[pair.direction]) for pair in pairs if pair.direction
    }
    left = {group: int(share / (1 - share) * counts[other]) for group, other in opposites.items()}
    return _at_most(pairs, lambda pair: _group(pair, pair.direction) if pair.direction else "", left)


def _group(pair: Pair, direction: str) -> str:
    return f"{pair.family}/{pair.control.form}/{direction}"


def _families_shared(pairs: Sequence[Pair], config: SelectionConfig) -> list[Pair]:
    """No family is more than its share; one on its own is left as it is."""
    share = config.max_family_share
    families = Counter(pair.family for pair in pairs)
    while len(families) > 1 and max(families.values()) > share * families.total():
        family, size = families.most_common(1)[0]
        room = int(share / (1 - share) * (families.total() - size)) if share < 1 else size
        families[family] = min(room, size - 1)
    return _at_most(pairs, lambda pair: pair.family, families)


def _rest(enough: int, share: float) -> int:
    """How many others there may be, for `enough` to be that share of all."""
    return int(enough * (1 - share) / share + 1e-9)


def _at_most(pairs: Iterable[Pair], group: Callable[[Pair], str], left: Mapping[str, int]) -> list[Pair]:
    """The first `left` of each group, in their order; what has no group stays."""
    room, kept = Counter(left), list[Pair]()
    for pair in pairs:
        name = group(pair)
        room[name] -= 1
        if not name or room[name] >= 0:
            kept.append(pair)
    return kept


def _rare_first(pairs: Iterable[Pair]) -> list[Pair]:
    """Four options first, then the smallest family, its sorts in turn: a large family takes the scenes that small ones leave."""
    groups: defaultdict[tuple[bool, str], list[Pair]] = defaultdict(list)
    sizes: Counter[str] = Counter()
    for pair in pairs:
        groups[_sort(pair) != CHOICE, pair.family].append(pair)
        sizes[pair.family] += 1
    order = sorted(groups, key=lambda group: (group[0], sizes[group[1]], group[1]))
    return list(chain.from_iterable(_in_turn(groups[of], lambda pair: pair.control.form, _rank) for of in order))


def _rank(pair: Pair) -> tuple[float, str]:
    return -pair.control.difficulty, sha256(pair.pair_id.encode()).hexdigest()


def _in_turn(pairs: Iterable[P], form: Callable[[P], str], rank: Callable[[P], tuple[float, str]]) -> Iterator[P]:
    """Sort by sort in turn, within a sort form by form, each by its rank."""
    forms: defaultdict[str, defaultdict[str, list[P]]] = defaultdict(lambda: defaultdict(list))
    for pair in sorted(pairs, key=rank):
        forms[_sort(pair)][form(pair)].append(pair)
    lines = {sort: _merged([by_form[name] for name in sorted(by_form)]) for sort, by_form in forms.items()}
    for turn in cycle(TURNS):
        if not lines:
            return
        if turn in lines and (following := next(lines[turn], None)):
            yield following
        else:
            lines.pop(turn, None)


def _merged(queues: Sequence[Sequence[P]]) -> Iterator[P]:
    return (pair for row in zip_longest(*queues) for pair in row if pair is not None)


def _sort(pair: Candidate | Pair) -> str:
    """Of yes and no, the lure; else whether there are more than two options."""
    if set(pair.options) == {YES, NO}:
        return pair.lure
    return CHOICE if len(pair.options) > 2 else TWO


SPREAD = "its scenes give all they may (--pairs-per-scene, pairs_per_kind)"
STEPS: dict[str, Step] = {
    "its words claim something, as too many do (min_neutral_share)": _neutral_enough,
    "it has two options, as too many have (min_options_share)": _options_enough,
    "too few are of the opposite direction (max_direction_share)": _both_directions,
    "its family has all it may (--max-family-share)": _families_shared,
}
