"""What the eye sees, family by family: questions on scenes that it was not trained on."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from more_itertools import batched

from pstgen.core.records import Fact
from pstgen.models.asking import prompt
from pstgen.models.huggingface import Model
from pstgen.questions import visual_prompts, wording
from pstgen.scenes.world.plan import Plan
from pstgen.training.examples import Form, Question, answerable, choose_options, known_facts
from pstgen.training.recipe import WorldRecipe
from pstgen.training.world_examples import Image, draw, plan_scene

BATCH = 32
CONFIDENCE = 0.95
WAYS = ("neutral", "lured", "blinded")
SEED = 3_000_000  # of the world that is measured on
TRIED = 12  # scenes, for each question that is wanted, before a rare sentence is given up


@dataclass(frozen=True)
class HeldOutQuestion:
    """neutral: asked plainly; lured: in words that suggest a wrong answer. image: (S, S, 3) uint8."""

    form: Form
    neutral: Question
    lured: Question
    image: Image


class Figure(msgspec.Struct, frozen=True):
    """One sentence of one family: right answers out of `questions`, asked in three ways; `chance` is a share."""

    family: str
    form: str
    questions: int
    chance: float
    neutral: int
    lured: int
    blinded: int


def measure(model: Model, recipe: WorldRecipe, questions: int) -> list[Figure]:
    """Ask `questions` of every sentence it was taught, plainly, with a lure and without the image."""
    right: defaultdict[Form, Counter[str]] = defaultdict(Counter)
    chances: defaultdict[Form, list[float]] = defaultdict(list)
    for batch in batched(held_out_questions(recipe.drawn, questions, recipe.families), BATCH):
        images = [item.image for item in batch]
        neutral, lured = [item.neutral for item in batch], [item.lured for item in batch]
        answers = (
            _are_right(model, neutral, images),
            _are_right(model, lured, images),
            _are_right(model, neutral, [None] * len(batch)),
        )
        for item, *correct in zip(batch, *answers, strict=True):
            right[item.form].update(dict(zip(WAYS, correct, strict=True)))
            chances[item.form].append(1 / len(item.neutral.options))
    return [
        Figure(*form, len(chances[form]), float(np.mean(chances[form])), *(right[form][way] for way in WAYS))
        for form in sorted(right)
    ]


def _are_right(model: Model, questions: Sequence[Question], images: Sequence[Image | None]) -> list[bool]:
    options = [question.options for question in questions]
    scores = model.score([prompt(question.text, question.options) for question in questions], options, images)
    return [
        question.options[int(np.argmax(logprobs))] == question.answer
        for question, logprobs in zip(questions, scores, strict=True)
    ]


def with_families(figures: Sequence[Figure]) -> list[Figure]:
    """Every family, and its sentences below it; a family's own figure has no form."""
    by_family: defaultdict[str, list[Figure]] = defaultdict(list)
    for figure in figures:
        by_family[figure.family].append(figure)
    return sorted([*figures, *map(_total, by_family.values())], key=lambda figure: (figure.family, figure.form))


def _total(figures: Sequence[Figure]) -> Figure:
    questions = sum(figure.questions for figure in figures)
    chance = sum(figure.chance * figure.questions for figure in figures) / questions
    right = (sum(getattr(figure, way) for figure in figures) for way in WAYS)
    return Figure(figures[0].family, "", questions, chance, *right)


def interval(right: int, questions: int) -> tuple[float, float]:
    """Clopper-Pearson's 95 % bounds of a share."""
    from scipy.stats import binomtest

    bounds = binomtest(right, questions).proportion_ci(CONFIDENCE)
    return float(bounds.low), float(bounds.high)


# -------------------------------------------------------------------------------------------------------- the questions


class Held(NamedTuple):
    """A fact of the n-th held-out scene, with everything that could be its answer."""

    n: int
    fact: Fact
    answers: tuple[str, ...]


def held_out_questions(size: int, questions: int, families: Sequence[str]) -> Iterator[HeldOutQuestion]:
    """Of every sentence of these families, `questions` on scenes that nothing was trained on, where nothing is typical.

    They come in twos: one question, two scenes, two answers; so whoever does not look is right once in two at most. A
    sentence that the world hardly ever answers in two ways gives fewer. size: side of a scene, pixels.
    """
    waiting: defaultdict[tuple[str, str, tuple[str, ...]], list[Held]] = defaultdict(list)
    yielded: Counter[Form] = Counter()
    for n in range(TRIED * questions):
        rng = np.random.default_rng((SEED, n))
        known = list(answerable(known_facts(draw(_plan(n), size)[0], families)).items())
        for k in rng.permutation(len(known)):
            held, twin = Held(n, *known[k]), None
            form = held.fact.family, held.fact.form
            if yielded[form] < questions:
                twin = _twin_of(held, waiting[held.fact.question])
            if twin:
                yielded[form] += 2
                possible = tuple(answer for answer in held.answers if answer in twin.answers)
                for pictured in (twin, held):
                    image = draw(_plan(pictured.n), size)[1]
                    yield _worded(pictured._replace(answers=possible), image, rng)


def _plan(n: int) -> Plan:
    return plan_scene(SEED, n, 0.0)


def _twin_of(held: Held, waiting: list[Held]) -> Held | None:
    """A fact of an earlier scene with the same question and another answer, once; else this one waits for its own."""

    def fits(other: Held) -> bool:
        answers = held.fact.truth.answer, other.fact.truth.answer
        return len(set(answers)) == 2 and {*answers} <= {*held.answers} & {*other.answers}

    twin = next(filter(fits, waiting), None)
    if twin:
        waiting.remove(twin)
    elif all(other.fact.truth != held.fact.truth for other in waiting):
        waiting.append(held)
    return twin


def _worded(held: Held, image: Image, rng: np.random.Generator) -> HeldOutQuestion:
    fact, answers, answer = held.fact, held.answers, str(held.fact.truth.answer)
    usual = answers[:4] if fact.form == "many" else answers  # the world shows no more than four of a kind
    lure = str(rng.choice([other for other in usual if other != answer]))
    options = choose_options(usual, lure, answer, rng)
    misleading = [frame for frame in wording.frames(fact.family) if frame != wording.NEUTRAL]
    draws = [(wording.NEUTRAL, rng.integers(2**31)), (str(rng.choice(misleading)), rng.integers(2**31))]
    neutral, lured = (
        Question(fact.family, wording.ask(fact, frame, lure, int(n)), options, answer) for frame, n in draws
    )
    shown = visual_prompts.marked(image, fact.mark) if fact.mark else image
    return HeldOutQuestion((fact.family, fact.form), neutral, lured, shown)
