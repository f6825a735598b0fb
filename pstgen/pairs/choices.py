"""Questions whose options are things: one that the context makes one expect, three that it suggests clearly less; one is the truth.

"There is a keyboard in the picture. Which of these is there too: mouse, oven, kite, sheep?" The options are not known before
two scenes are, so such questions are put together here and not asked of a scene.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from pstgen.core.records import Association, Candidate, Fact, Scene, Truth
from pstgen.pairs.context import MOST_OPTIONS, PairContext, candidate
from pstgen.scenes import vocabulary

FORMS = {"existence": "which", "pointing": "what"}  # by family
PRESENT, ABSENT = ("existence", "given", "yes"), ("existence", "given", "no")
MARKED = ("pointing", "on", "yes")
GAP = 0.7  # nats: the context raises the odds of the expected thing twice as much as those of any other option
TWINS = 3  # that a scene gets for one question: other pairs may take some of them away
STRESS_SCENES = 40  # that are tried for one control scene, the most alike first


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of one scene. kinds: all that is annotated. contexts: kinds that are plain to see.

    answers: by family, the kinds that can be the truth, each with its fact. absent: kinds that are certainly not there.
    """

    kinds: frozenset[str]
    contexts: frozenset[str]
    answers: Mapping[str, Mapping[str, Fact]]
    absent: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Table:
    """What the context makes one expect: by kind, how much it adds to the odds that such a thing is there."""

    context: str
    added: Mapping[str, Association]

    def weaker(self, than: str) -> list[str]:
        """Kinds that one clearly expects less than that one."""
        most = self.added[than].value - GAP
        return [kind for kind, added in self.added.items() if added.value < most]


def shown(scene: Scene, facts: Sequence[Fact]) -> Shown:
    """From the known facts of a scene."""
    by_sort: defaultdict[tuple[str, str, str | None], dict[str, Fact]] = defaultdict(dict)
    for fact in facts:
        by_sort[fact.family, fact.form, fact.truth.answer].setdefault(fact.about[0], fact)
    contexts = {fact.about[1] for fact in facts if (fact.family, fact.form) == PRESENT[:2]}
    return Shown(
        kinds=frozenset(thing.category for thing in scene.instances),
        contexts=frozenset(contexts),
        answers={"existence": by_sort[PRESENT], "pointing": by_sort[MARKED]},
        absent=frozenset(by_sort[ABSENT]),
    )


def likeness(a: Shown, b: Shown) -> float:
    """Share of the kinds of either scene that both show, 0 to 1."""
    return len(a.kinds & b.kinds) / max(1, len(a.kinds | b.kinds))


def pairs(scenes: Mapping[str, Shown], context: PairContext) -> Iterator[Candidate]:
    """Family by family and context by context; a scene serves TWINS times for one question."""
    by_context: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(scenes, key=_draw):  # an order that lasts: it decides between scenes that are as good
        for thing in scenes[name].contexts:
            by_context[thing].append(name)
    wanted = context.config.questions.families
    for thing in sorted(by_context):
        there = {name: scenes[name] for name in by_context[thing]}
        table = _table(thing, there, context)
        for family in sorted(FORMS):
            if not wanted or family in wanted:
                for lure in sorted(kind for kind, added in table.added.items() if context.is_lure(added)):
                    yield from _of_one_lure(family, lure, table, there, context)


def _table(thing: str, there: Mapping[str, Shown], context: PairContext) -> _Table:
    kinds = sorted(
        {kind for shown in there.values() for kind in (*shown.absent, *shown.answers["existence"])} - {thing}
    )
    questions = {kind: (*PRESENT[:2], (kind, thing)) for kind in kinds}
    answers = ("yes", "no")
    return _Table(
        thing,
        {kind: context.prior.associate(question, answers)[0] for kind, question in questions.items()},
    )


def _of_one_lure(
    family: str, lure: str, table: _Table, there: Mapping[str, Shown], context: PairContext
) -> Iterator[Candidate]:
    weaker = frozenset(table.weaker(lure))
    controls = [name for name, shown in there.items() if lure in shown.answers[family]]
    others = [
        name
        for name, shown in there.items()
        if _excluded(lure, shown, family) and not weaker.isdisjoint(shown.answers[family])
    ]
    made, served = 0, Counter[str]()
    for control in controls:
        if made >= context.config.pairs.pairs_per_question:
            return
        by_likeness = sorted(others, key=lambda name: likeness(there[control], there[name]), reverse=True)
        possible = (
            (stress, options)
            for stress in by_likeness[:STRESS_SCENES]
            if stress != control and served[stress] < TWINS
            if (options := _options(family, lure, weaker, there[control], there[stress]))
        )
        for stress, options in islice(possible, min(TWINS, context.config.pairs.pairs_per_question - made)):
            yield _candidate(family, table, options, (there[control], there[stress]))
            served[stress] += 1
            made += 1


def _options(family: str, lure: str, weaker: frozenset[str], control: Shown, stress: Shown) -> tuple[str, ...]:
    """The lure, the stress twin's truth, and more that are certainly neither's; () where there are too few."""
    possible = {kind for kind in weaker if _excluded(kind, control, family)}
    truths = sorted(possible.intersection(stress.answers[family]), key=lambda kind: _draw(f"{lure} {kind}"))
    more = {kind for kind in possible if _excluded(kind, stress, family)}
    for truth in truths:
        free = sorted(
            (kind for kind in more - {truth} if not _alike(kind, (lure, truth))),
            key=lambda k: _draw(f"{lure} {truth} {k}"),
        )
        if len(free) >= MOST_OPTIONS - 2 and not _alike(truth, (lure,)):
            return lure, truth, *free[: MOST_OPTIONS - 2]
    return ()


def _excluded(kind: str, shown: Shown, family: str) -> bool:
    """Is that certainly not the answer: not in the picture at all?"""
    return kind in shown.absent and kind not in shown.answers[family]


def _alike(kind: str, others: Sequence[str]) -> bool:
    """Do people call it the same as another?"""
    return any(kind in vocabulary.terms(other).alike or other in vocabulary.terms(kind).alike for other in others)


def _candidate(family: str, table: _Table, options: Sequence[str], scenes: tuple[Shown, Shown]) -> Candidate:
    """Options in alphabetical order. Of the two scenes, the first shows the first option, the second the second one."""
    facts = [shown.answers[family][kind] for kind, shown in zip(options, scenes, strict=False)]
    control, stress = (
        Fact(
            scene_id=fact.scene_id,
            family=family,
            form=FORMS[family],
            about=(table.context,),
            truth=Truth(vocabulary.spoken(kind)),
            evidence=fact.evidence,
            mark=fact.mark,
        )
        for kind, fact in zip(options, facts, strict=False)
    )
    added = {vocabulary.spoken(kind): table.added[kind] for kind in sorted(options)}
    pair = candidate(control, [stress], added)
    if pair is None:
        raise RuntimeError(f"{options}: one expects another more than the first")
    return pair


def _draw(text: str) -> bytes:
    return sha256(text.encode()).digest()
