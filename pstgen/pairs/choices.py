"""Questions whose options are things: one that the context makes one expect, three that it suggests clearly less; one is the truth.

"There is a keyboard in the picture. Which of these is there too: mouse, oven, kite, sheep?" The options are not known before
two scenes are, so such questions are put together here and not asked of a scene.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Association, Candidate, Fact, Scene, Truth
from pstgen.pairs.context import MOST_OPTIONS, PairContext, candidate
from pstgen.scenes import vocabulary

if TYPE_CHECKING:
    from scipy import sparse

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
    in_order = [scenes[name] for name in sorted(scenes, key=_draw)]  # that lasts: it decides between scenes as good
    by_context: defaultdict[str, list[int]] = defaultdict(list)
    for row, shown in enumerate(in_order):
        for thing in shown.contexts:
            by_context[thing].append(row)
    grids, wanted = _grids(in_order), context.config.questions.families
    for thing in sorted(by_context):
        there = _There([in_order[row] for row in by_context[thing]], grids.column, grids.of(by_context[thing]))
        table = _table(thing, there, context)
        for family in sorted(FORMS):
            if not wanted or family in wanted:
                for lure in sorted(kind for kind, added in table.added.items() if context.is_lure(added)):
                    yield from _of_one_lure(family, lure, table, there, context)


@dataclass(frozen=True, slots=True)
class _Grids:
    """What all scenes show, a row each; a column for each kind. by_name: "kinds", "absent", and the families."""

    column: Mapping[str, int]
    by_name: "Mapping[str, sparse.csr_array]"

    def of(self, rows: Sequence[int]) -> dict[str, NDArray[np.bool_]]:
        """Those rows of each."""
        return {name: grid[rows].toarray() for name, grid in self.by_name.items()}


def _grids(scenes: Sequence[Shown]) -> _Grids:
    sets: dict[str, list[Collection[str]]] = {
        "kinds": [shown.kinds for shown in scenes],
        "absent": [shown.absent for shown in scenes],
        **{family: [shown.answers[family] for shown in scenes] for family in FORMS},
    }
    kinds = sorted(set(chain.from_iterable(chain(*sets.values()))))
    column = {kind: n for n, kind in enumerate(kinds)}
    return _Grids(column, {name: _grid(each, column) for name, each in sets.items()})


def _grid(sets: Sequence[Collection[str]], column: Mapping[str, int]) -> "sparse.csr_array":
    """Row by row, which kinds the set holds."""
    from scipy import sparse

    starts = np.cumsum([0, *map(len, sets)])
    columns = np.fromiter((column[kind] for kind in chain.from_iterable(sets)), np.int32, starts[-1])
    return sparse.csr_array((np.ones(len(columns), bool), columns, starts), (len(sets), len(column)))


class _There:
    """The scenes of one context, and what each shows, a row each."""

    def __init__(
        self, scenes: Sequence[Shown], column: Mapping[str, int], by_name: Mapping[str, NDArray[np.bool_]]
    ) -> None:
        self.scenes, self.column, self.by_name = scenes, column, by_name
        self.kinds = by_name["kinds"].astype(np.float32)
        self.sizes = self.kinds.sum(1)

    def asked(self) -> list[str]:
        """Kinds that are certainly absent from some scene or plain to see in it."""
        some = np.any(self.by_name["absent"] | self.by_name["existence"], 0)
        return [kind for kind, n in self.column.items() if some[n]]

    def controls(self, family: str, lure: str) -> list[int]:
        """Rows of the scenes where the lure is right."""
        return np.flatnonzero(self.by_name[family][:, self.column[lure]]).tolist()

    def others(self, family: str, lure: str, weaker: Collection[str]) -> NDArray[np.intp]:
        """Rows of the scenes where the lure is certainly wrong and a weaker kind right."""
        right, wrong = self.by_name[family], self.by_name["absent"][:, self.column[lure]]
        any_weaker = right[:, [self.column[kind] for kind in weaker]].any(1)
        return np.flatnonzero(wrong & ~right[:, self.column[lure]] & any_weaker)

    def most_alike(self, control: int, others: NDArray[np.intp]) -> list[int]:
        """Those of the rows whose scenes are most like the control's, by `likeness`, at most STRESS_SCENES."""
        shared = self.kinds[others] @ self.kinds[control]
        either = np.maximum(1, self.sizes[others] + self.sizes[control] - shared)
        by_likeness = np.argsort(-(shared.astype(float) / either), kind="stable")
        nearest: list[int] = others[by_likeness[:STRESS_SCENES]].tolist()
        return nearest


def _table(thing: str, there: _There, context: PairContext) -> _Table:
    questions = {kind: (*PRESENT[:2], (kind, thing)) for kind in there.asked() if kind != thing}
    answers = ("yes", "no")
    return _Table(
        thing,
        {kind: context.prior.associate(question, answers)[0] for kind, question in questions.items()},
    )


def _of_one_lure(family: str, lure: str, table: _Table, there: _There, context: PairContext) -> Iterator[Candidate]:
    weaker = frozenset(table.weaker(lure))
    others = there.others(family, lure, weaker)
    made, served = 0, Counter[int]()
    for control in there.controls(family, lure):
        if made >= context.config.pairs.pairs_per_question:
            return
        possible = (
            (stress, options)
            for stress in there.most_alike(control, others)
            if served[stress] < TWINS
            if (options := _options(family, lure, weaker, there.scenes[control], there.scenes[stress]))
        )
        for stress, options in islice(possible, min(TWINS, context.config.pairs.pairs_per_question - made)):
            yield _candidate(family, table, options, (there.scenes[control], there.scenes[stress]))
            served[stress] += 1
            made += 1


def _options(family: str, lure: str, weaker: frozenset[str], control: Shown, stress: Shown) -> tuple[str, ...]:
    """The lure, the stress twin's truth, and more that are certainly neither's; () where there are too few."""
    possible = (weaker & control.absent).difference(control.answers[family])
    truths = sorted(possible.intersection(stress.answers[family]), key=lambda kind: _draw(f"{lure} {kind}"))
    more = (possible & stress.absent).difference(stress.answers[family])
    for truth in truths:
        free = sorted(
            (kind for kind in more - {truth} if not _alike(kind, (lure, truth))),
            key=lambda k: _draw(f"{lure} {truth} {k}"),
        )
        if len(free) >= MOST_OPTIONS - 2 and not _alike(truth, (lure,)):
            return lure, truth, *free[: MOST_OPTIONS - 2]
    return ()


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
