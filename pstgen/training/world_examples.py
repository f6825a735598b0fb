"""Examples of the built-in world for `pstgen eye train`, drawn as they are needed: scenes to see, and scenes to read about."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Fact, Instance, Scene
from pstgen.questions import priors, visual_prompts, wording
from pstgen.questions.families import Question as Query
from pstgen.questions.priors import Expectation
from pstgen.scenes import vocabulary
from pstgen.scenes.world import scenes
from pstgen.scenes.world.plan import Plan, kinds, plan
from pstgen.training.examples import (
    PRIOR_SCENES,
    Odds,
    Question,
    answerable,
    by_form,
    expected_answer,
    known_facts,
    pick,
    word,
)
from pstgen.training.recipe import WorldRecipe

PLAIN = 0.4  # of the questions, that are surely asked plainly
SEEN, READ = 1_000_000, 2_000_000  # seeds of the worlds that it sees, and that it reads about
WEIGHTS = {  # how often a sentence is asked, beside 1
    ("existence", "given"): 2.5,
    ("existence", "which"): 1.5,
    ("count", "exactly"): 2.0,
    ("count", "many"): 2.0,
    ("colour", "is"): 2.0,
    ("colour", "of"): 1.5,
    ("relation", "horizontal"): 2.0,
    ("relation", "vertical"): 1.5,
    ("pointing", "what"): 1.5,
    ("size", "larger"): 3.0,  # few scenes let one ask that, and the next
    ("depth", "nearer"): 3.0,
    ("pose", "raised"): 3.0,
    ("pose", "bent"): 3.0,
    ("pose", "arms"): 3.0,
    ("overlap", "touching"): 3.0,
}
MARKED = 0.5  # of the scenes with a point that can be marked, in which one is

Answers = Mapping[Fact, tuple[str, ...]]  # facts, each with everything that could be its answer

Image = NDArray[np.uint8]  # (S, S, 3) RGB


@dataclass(frozen=True)
class WorldExample:
    """A scene and what is taught of it.

    image: None where the scene is only read about. is_grey: the image is one flat colour, and shows nothing of the scene.
    inventory: kinds of things by name, and what there is of each.
    """

    scene: Scene
    questions: tuple[Question, ...] = ()
    image: Image | None = None
    is_grey: bool = False
    inventory: tuple[tuple[str, str], ...] = ()


class WorldExamples:
    """Draws examples; example n is the same whenever it is drawn."""

    def __init__(self, recipe: WorldRecipe) -> None:
        self.recipe = recipe

    @cached_property
    def expected(self) -> Expectation:
        """What one expects in the world that is read about."""
        return self._fit(map(self._plan_to_read, range(PRIOR_SCENES)))

    @cached_property
    def frequencies(self) -> Expectation:
        """How often each answer is right in the world that is seen, so that rare ones can be asked for more often."""
        return self._fit(map(self._plan_to_see, range(PRIOR_SCENES, 2 * PRIOR_SCENES)))

    def unasked(self, n: int) -> WorldExample:
        """A scene to see, without questions."""
        scene, image = draw(self._plan_to_see(n), self.recipe.drawn)
        return WorldExample(scene, image=image, inventory=tuple(take_inventory(scene, self._generator(n))))

    def seen(self, n: int) -> WorldExample:
        """A scene to see. Of each question every answer is as likely as the next, and the lure says nothing about it."""
        rng, size = self._generator(n), self.recipe.drawn
        if rng.random() < self.recipe.grey:
            flat = np.broadcast_to(rng.integers(60, 200, (1, 1, 3)), (size, size, 3)).astype(np.uint8)
            text = self.read(n)
            return WorldExample(text.scene, text.questions, flat, is_grey=True)
        scene, image = draw(self._plan_to_see(n), size)
        answers = answerable(known_facts(scene, self.recipe.families_of(n)))
        mark = _mark(answers, rng)
        answers = {fact: possible for fact, possible in answers.items() if fact.mark in {None, mark}}
        facts = self._pick(answers, self._rarities(answers), rng)
        questions = tuple(self._word(fact, answers[fact], str(rng.choice(answers[fact])), rng) for fact in facts)
        shown = visual_prompts.marked(image, mark) if mark else image
        return WorldExample(scene, questions, shown, inventory=tuple(take_inventory(scene, rng)))

    def read(self, n: int) -> WorldExample:
        """A scene to read about: facts as they come, and as the lure what one expects."""
        rng = self._generator(n, 1)
        scene, _ = draw(self._plan_to_read(PRIOR_SCENES + n), self.recipe.drawn)
        answers = answerable(known_facts(scene, self.recipe.families))
        facts = self._pick(answers, lambda facts: [1.0] * len(facts), rng)
        lures = (expected_answer(self.expected, fact, answers[fact]) for fact in facts)
        questions = (self._word(fact, answers[fact], lure, rng) for fact, lure in zip(facts, lures, strict=True))
        return WorldExample(scene, tuple(questions))

    def _generator(self, *n: int) -> np.random.Generator:
        return np.random.default_rng((self.recipe.seed, *n))

    def _plan_to_see(self, n: int) -> Plan:
        return plan_scene(SEEN + self.recipe.seed, n, self.recipe.typicality)

    def _plan_to_read(self, n: int) -> Plan:
        return plan(READ + self.recipe.seed, n, self.recipe.told_typicality)

    def _fit(self, plans: Iterable[Plan]) -> Expectation:
        drawn = (draw(planned, self.recipe.drawn)[0] for planned in plans)
        facts = (known_facts(scene, self.recipe.families) for scene in drawn)
        return priors.load("counts").fit(priors.count(chain.from_iterable(facts)))

    def _pick(self, answers: Answers, odds: Odds, rng: np.random.Generator) -> list[Fact]:
        """Facts: a sentence by its weight, then a fact by its odds."""
        facts = by_form(answers)
        forms = sorted(facts)
        if not forms:
            return []
        weights = np.array([WEIGHTS.get(form, 1.0) for form in forms])
        turns = rng.choice(len(forms), size=2 * self.recipe.questions, p=weights / weights.sum())
        return pick(facts, [forms[n] for n in turns], odds, self.recipe.questions, rng)

    def _rarities(self, answers: Answers) -> Odds:
        """Of each fact 1 / how often its answer is right."""

        def odds(fact: Fact) -> float:
            return self._rarity(fact.question, answers[fact], str(fact.truth.answer))

        return lambda facts: [odds(fact) for fact in facts]

    @cached_property
    def _rarity(self) -> Callable[[Query, tuple[str, ...], str], float]:
        @lru_cache(maxsize=1 << 16)
        def rarity(question: Query, answers: tuple[str, ...], answer: str) -> float:
            return 1 / self.frequencies.expect(question, answers)[answers.index(answer)]

        return rarity

    @staticmethod
    def _word(fact: Fact, answers: Sequence[str], lure: str, rng: np.random.Generator) -> Question:
        return word(fact, answers, lure, PLAIN, wording.frames(fact.family), rng)


def _mark(facts: Iterable[Fact], rng: np.random.Generator) -> tuple[float, float] | None:
    """One of the points that can be marked, or none."""
    marks = sorted({fact.mark for fact in facts if fact.mark})
    return marks[rng.integers(len(marks))] if marks and rng.random() < MARKED else None


def plan_scene(seed: int, n: int, typicality: float) -> Plan:
    """The n-th plan; every other one has at least two things that are alone of their kind, so that relations can be asked."""
    for attempt in count():
        planned = plan(seed + 7 * attempt, n, typicality)
        names = [thing.category for thing in planned.things]
        if n % 2 or sum(names.count(name) == 1 for name in set(names)) > 1:
            return planned
    raise AssertionError


def draw(planned: Plan, size: int) -> tuple[Scene, Image]:
    """The scene, which has no files, and its (size, size, 3) image."""
    scene, drawing = scenes.scene(planned, size, Path(), Path())
    return scene, drawing.image


def take_inventory(scene: Scene, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Kinds that are there and as many that are not, shuffled: how many; of one alone its colour and chessboard square."""
    by_kind: defaultdict[str, list[Instance]] = defaultdict(list)
    for thing in scene.instances:
        by_kind[thing.category].append(thing)
    absent = rng.permutation([name for name in kinds() if name not in by_kind])
    for name in rng.permutation([*by_kind, *absent[: 2 + len(by_kind)]]).tolist():
        things = by_kind.get(name, [])
        noun = vocabulary.spoken(name)
        alone = f" {things[0].colour} {_square(things[0], scene)}" if len(things) == 1 else ""
        yield str(rng.choice([noun, vocabulary.plural(noun)])), f"{len(things)}{alone}".replace("  ", " ")


def _square(thing: Instance, scene: Scene) -> str:
    """The square of a chessboard on the image that the thing's centre is on."""
    column = min(7, int(8 * thing.region.centre_x / scene.width))
    row = min(7, int(8 * thing.region.centre_y / scene.height))
    return f"{'abcdefgh'[column]}{8 - row}"
