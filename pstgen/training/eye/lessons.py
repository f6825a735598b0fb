"""Lessons: scenes of the world with questions of every family, and what each patch of a scene shows."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pstgen.core import plugins
from pstgen.core.records import Fact, Instance, Scene
from pstgen.questions import priors, wording
from pstgen.questions.priors import Expectation
from pstgen.scenes import vocabulary
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.scenes.world.draw import Drawing
from pstgen.scenes.world.plan import Plan, kinds, plan
from pstgen.scenes.world.scenes import scene
from pstgen.training.eye.recipe import Recipe

MOST_OPTIONS = 4
PRIOR_SCENES = 1500
PLAIN = 0.4  # of the questions, that are surely asked plainly
TESTED = 12  # scenes, for each question that is wanted, before a rare sentence is given up
SEES, HEARS, TESTS = 1_000_000, 2_000_000, 3_000_000  # seeds of the worlds that it looks at, hears of, is tested on
WEIGHTS = {  # how often a sentence is asked, beside 1
    ("existence", "given"): 2.5,
    ("count", "many"): 2.0,
    ("colour", "of"): 2.0,
    ("relation", "horizontal"): 2.0,
    ("relation", "vertical"): 1.5,
}


@dataclass(frozen=True)
class Question:
    """What is asked, offered and true; `form` is family and sentence."""

    form: tuple[str, str]
    text: str
    options: tuple[str, ...]
    answer: str


@dataclass(frozen=True)
class Page:
    """A scene and what is asked of it.

    pixels: (S, S, 3) uint8 RGB; None where the questions come without an image.
    patches: (cells, cells, 3) int64: category, colour and centre of what each cell shows, from 1; 0 is backdrop;
    None where the pixels say nothing. captions: sentences to have heard.
    inventory: kinds of things by name, and of each what there is to see of it.
    """

    questions: tuple[Question, ...]
    pixels: NDArray[np.uint8] | None = None
    patches: NDArray[np.int64] | None = None
    captions: tuple[str, ...] = ()
    inventory: tuple[tuple[str, str], ...] = ()


class Lessons:
    """Draws pages; page n is the same whenever it is asked for."""

    def __init__(self, recipe: Recipe, cells: int) -> None:
        self.recipe, self.cells = recipe, cells

    @cached_property
    def prior(self) -> Expectation:
        """What is expected in the world that it hears of."""
        typical = self.recipe.told_typicality
        told = (plan(HEARS + self.recipe.seed, n, typical) for n in range(PRIOR_SCENES))
        facts = chain.from_iterable(_facts(_described(one, self.recipe.size)[0], self.recipe.families) for one in told)
        fitted: Expectation = plugins.load("priors", "counts").fit(priors.count(facts))
        return fitted

    @cached_property
    def even(self) -> Expectation:
        """How often each answer comes where it looks, so that seldom ones can be asked for more often."""
        plans = (self._look(PRIOR_SCENES + n) for n in range(PRIOR_SCENES))
        facts = (_facts(_described(one, self.recipe.size)[0], self.recipe.families) for one in plans)
        fitted: Expectation = plugins.load("priors", "counts").fit(priors.count(chain.from_iterable(facts)))
        return fitted

    def _look(self, n: int) -> Plan:
        return _plan(SEES + self.recipe.seed, n, self.recipe.typicality, lonely=n % 2 == 0)

    def shown(self, n: int) -> Page:
        """A scene to look at, without questions."""
        rng = np.random.default_rng((self.recipe.seed, n))
        told, drawing = _described(self._look(n), self.recipe.size)
        return Page((), drawing.image, patches(drawing, self.cells), inventory=tuple(inventory(told, rng)))

    def seen(self, n: int) -> Page:
        """A scene to look at. Of every question each answer is as likely as the other, and the lure says nothing about it."""
        rng = np.random.default_rng((self.recipe.seed, n))
        if rng.random() < self.recipe.grey:
            flat = np.broadcast_to(rng.integers(60, 200, (1, 1, 3)), (self.recipe.size, self.recipe.size, 3))
            return Page(self.heard(n).questions, flat.astype(np.uint8))
        told, drawing = _described(self._look(n), self.recipe.size)
        facts = list(_facts(told, self.recipe.families))
        asked = _by_form(facts, [1 / self._share(fact) for fact in facts], rng, self.recipe.questions)
        questions = tuple(_asked(fact, str(rng.choice(_answers(fact))), rng) for fact in asked)
        shown = patches(drawing, self.cells)
        return Page(questions, drawing.image, shown, inventory=tuple(inventory(told, rng)))

    def _share(self, fact: Fact) -> float:
        answers = _answers(fact)
        return self.even.expect(fact.question, answers)[answers.index(str(fact.truth.answer))]

    def heard(self, n: int) -> Page:
        """A scene that is only told of: facts as they come, the lure what one expects, captions beside them."""
        rng = np.random.default_rng((self.recipe.seed, n, 1))
        told, _ = _described(
            plan(HEARS + self.recipe.seed, PRIOR_SCENES + n, self.recipe.told_typicality), self.recipe.size
        )
        facts = list(_facts(told, self.recipe.families))
        asked = _by_form(facts, [1.0] * len(facts), rng, self.recipe.questions)
        return Page(tuple(_asked(fact, self._expected(fact), rng) for fact in asked), captions=told.captions)

    def _expected(self, fact: Fact) -> str:
        answers = _answers(fact)
        expected = self.prior.expect(fact.question, answers)
        return answers[max(range(len(answers)), key=expected.__getitem__)]


def tests(size: int, questions: int, families: Sequence[str]) -> Iterator[tuple[Question, Question, NDArray[np.uint8]]]:
    """Of every sentence of these families, `questions` on scenes never looked at, where nothing is typical.

    They come in twos: one question, two scenes, two answers; so whoever does not look is right once in two at most.
    Yields (asked plainly, asked with a lure that is wrong, (size, size, 3) uint8 image). A sentence that the world hardly
    ever answers in two ways gives fewer.
    """
    waiting: defaultdict[tuple[str, str, tuple[str, ...]], dict[str, tuple[int, Fact]]] = defaultdict(dict)
    given: Counter[tuple[str, str]] = Counter()
    for n in range(TESTED * questions):
        rng = np.random.default_rng((TESTS, n))
        facts = list(_facts(_described(_test_plan(n), size)[0], families))
        for k in rng.permutation(len(facts)):
            fact, twin = facts[k], None
            if given[fact.family, fact.form] < questions:
                twin = _twin_of(fact, n, waiting[fact.question])
            if twin:
                given[fact.family, fact.form] += 2
                for index, shown in (twin, (n, fact)):
                    yield _plain_and_lured(shown, rng, _described(_test_plan(index), size)[1])


def _twin_of(fact: Fact, n: int, shelf: dict[str, tuple[int, Fact]]) -> tuple[int, Fact] | None:
    """A fact of an earlier scene with the same question and another answer, once; else this one waits for its own."""
    others = [answer for answer in shelf if answer != fact.truth.answer]
    if others:
        return shelf.pop(others[0])
    shelf.setdefault(str(fact.truth.answer), (n, fact))
    return None


def _test_plan(n: int) -> Plan:
    return _plan(TESTS, n, 0.0, lonely=n % 2 == 0)


def _plain_and_lured(
    fact: Fact, rng: np.random.Generator, drawing: Drawing
) -> tuple[Question, Question, NDArray[np.uint8]]:
    usual = {"many": _answers(fact)[:4]}.get(fact.form, _answers(fact))  # the world shows no more than four of a kind
    lure = str(rng.choice([answer for answer in usual if answer != fact.truth.answer]))
    options = _options(fact, lure, rng, usual)
    misleading = [frame for frame in wording.frames(fact.family) if frame != wording.NEUTRAL]
    plain, said = (
        Question((fact.family, fact.form), wording.said(fact, frame, lure, draw), options, str(fact.truth.answer))
        for frame, draw in (
            (wording.NEUTRAL, int(rng.integers(2**31))),
            (str(rng.choice(misleading)), int(rng.integers(2**31))),
        )
    )
    return plain, said, drawing.image


def inventory(told: Scene, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Kinds that are there and as many that are not, shuffled: how many; of one alone its colour and chessboard square."""
    by_kind: defaultdict[str, list[Instance]] = defaultdict(list)
    for thing in told.instances:
        by_kind[thing.category].append(thing)
    absent = rng.permutation([name for name in kinds() if name not in by_kind])
    for name in rng.permutation([*by_kind, *absent[: 2 + len(by_kind)]]).tolist():
        things = by_kind.get(name, [])
        noun = vocabulary.spoken(name)
        alone = f" {things[0].colour} {_square(things[0], told)}" if len(things) == 1 else ""
        yield str(rng.choice([noun, vocabulary.plural(noun)])), f"{len(things)}{alone}".replace("  ", " ")


def _square(thing: Instance, told: Scene) -> str:
    row, column = (int(8 * part / whole) for part, whole in zip(_centre(thing), (told.height, told.width), strict=True))
    return f"{'abcdefgh'[min(7, column)]}{8 - min(7, row)}"


def patches(drawing: Drawing, cells: int) -> NDArray[np.int64]:
    """Say of each cell of a `cells` x `cells` grid what covers most of it, but backdrop only where it is nearly all.

    (cells, cells, 3) int64: category, colour, category whose visible box is centred there; all from 1, 0 for none.
    """
    names, shades = list(kinds()), (*COLOURS, "")
    things = {thing.id: thing for thing in drawing.instances}
    most = max(things, default=0) + 1
    side = len(drawing.owner) // cells
    blocks = drawing.owner.reshape(cells, side, cells, side).transpose(0, 2, 1, 3).reshape(cells * cells, -1)
    counts = (blocks[:, :, None] == np.arange(most)).sum(1)
    counts[:, 0] //= 4
    owner = counts.argmax(1)
    told = np.zeros((most, 2), np.int64)
    for number, thing in things.items():
        told[number] = 1 + names.index(thing.category), 1 + shades.index(thing.colour)
    centres = np.zeros((cells, cells), np.int64)
    for thing in things.values():
        row, column = (min(cells - 1, int(v / side)) for v in _centre(thing))
        centres[row, column] = 1 + names.index(thing.category)
    return np.concatenate([told[owner].reshape(cells, cells, 2), centres[:, :, None]], axis=2)


def _centre(thing: Instance) -> tuple[float, float]:
    return thing.region.centre_y, thing.region.centre_x


def _plan(seed: int, n: int, typicality: float, *, lonely: bool) -> Plan:
    """The n-th plan; a lonely one has at least two things that are alone of their kind, so that relations can be asked."""
    for attempt in count():
        planned = plan(seed + 7 * attempt, n, typicality)
        names = [thing.category for thing in planned.things]
        if not lonely or sum(names.count(name) == 1 for name in set(names)) > 1:
            return planned
    raise AssertionError


def _described(planned: Plan, size: int) -> tuple[Scene, Drawing]:
    return scene(planned, size, Path(), Path())


def _facts(told: Scene, families: Sequence[str]) -> Iterator[Fact]:
    for name in families:
        yield from (fact for fact in plugins.load("families", name).ask(told) if fact.truth.known)


def _answers(fact: Fact) -> tuple[str, ...]:
    answers: tuple[str, ...] = plugins.load("families", fact.family).answers(fact.form, fact.about)
    return answers


def _by_form(facts: Sequence[Fact], odds: Sequence[float], rng: np.random.Generator, wanted: int) -> list[Fact]:
    """Draw a sentence by its weight, then a fact by its odds; nothing is drawn twice."""
    shelves: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for k, fact in enumerate(facts):
        shelves[fact.family, fact.form].append(k)
    forms = sorted(shelves)
    if not forms:
        return []
    weights = np.array([WEIGHTS.get(form, 1.0) for form in forms])
    drawn: dict[Fact, None] = {}
    for form in rng.choice(len(forms), size=2 * wanted, p=weights / weights.sum()):
        shelf = shelves[forms[form]]
        chances = np.array([odds[k] for k in shelf])
        drawn[facts[int(rng.choice(shelf, p=chances / chances.sum()))]] = None
    return list(drawn)[:wanted]


def _options(fact: Fact, lure: str, rng: np.random.Generator, among: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Truth, lure and others at random, in natural order."""
    answers = among or _answers(fact)
    others = [answer for answer in rng.permutation(answers).tolist() if answer not in {lure, fact.truth.answer}]
    chosen = {lure, fact.truth.answer, *others}
    while len(chosen) > MOST_OPTIONS:
        chosen.remove(others.pop())
    return tuple(answer for answer in answers if answer in chosen)


def _asked(fact: Fact, lure: str, rng: np.random.Generator) -> Question:
    """The fact's question, plainly or in any frame."""
    frames = wording.frames(fact.family)
    frame = wording.NEUTRAL if rng.random() < PLAIN else str(rng.choice(frames))
    text = wording.said(fact, frame, lure, int(rng.integers(2**31)))
    return Question((fact.family, fact.form), text, _options(fact, lure, rng), str(fact.truth.answer))
