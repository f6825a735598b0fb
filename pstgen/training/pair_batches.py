"""Batches of stage 3: pairs of training scenes in which one question has two answers; some steps are of words alone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import BadInput, Scene
from pstgen.scenes import pixels
from pstgen.training.batches import Batches, PackedBatches, StepPlan
from pstgen.training.examples import Examples, Question
from pstgen.training.modeling import Vlm
from pstgen.training.systems import Plan

GREY = 128  # of the image that is shown to a system that never sees one

Place = tuple[int, int]  # the number of an example, and that of one of its questions
Places = dict[str, list[Place]]  # of one question, by its answer
Key = tuple[str, str, tuple[str, ...]]  # family, form and words of a question


@dataclass(frozen=True, slots=True)
class Twin:
    """An item of a training pair. place: the example whose scene is shown, and the question about it.

    question: in the words of one of the twins, with the options of both; of a control its answer may be wrong.
    """

    pair_id: str
    place: Place
    question: Question

    @property
    def item_id(self) -> str:
        """Not the same of any two twins of a pair."""
        return f"{self.pair_id}:{self.place[0]}:{self.place[1]}"


class TrainingPairs:
    """Pairs among examples: one question about two scenes, in which it has two answers.

    Raises BadInput where no question is asked about two such scenes. differ: False lets a question be paired with itself, where
    only what a step costs is of interest, and there are few examples.
    """

    def __init__(self, examples: Examples, seed: int, *, differ: bool = True) -> None:
        self.examples, self.seed = examples, seed
        self.by_family: defaultdict[str, list[Places]] = defaultdict(list)
        for (family, *_), places in sorted(_places(examples).items()):
            if len(places) > 1 or not differ:
                self.by_family[family].append(dict(sorted(places.items())))
        if not self.by_family:
            raise BadInput(
                f"{examples.file}: no question is asked about two scenes with two answers, so there are no training pairs: "
                "give the recipe more scenes"
            )

    def draw(self, n: int) -> tuple[Twin, Twin]:
        """The n-th pair: families in turn, any of the family's questions, two of its answers, a scene for each."""
        rng = np.random.default_rng((self.seed, n))
        families = sorted(self.by_family)
        questions = self.by_family[families[n % len(families)]]
        places = questions[rng.integers(len(questions))]
        answers = rng.choice(list(places), 2, replace=len(places) < 2).tolist()
        first, second = (places[answer][rng.integers(len(places[answer]))] for answer in answers)
        options = tuple(dict.fromkeys((*self._question(first).options, *self._question(second).options)))
        shared: dict[str, Any] = {"text": self._question(first).text, "options": options}
        return self._twin(n, first, shared), self._twin(n, second, shared)

    def with_random_answer(self, twin: Twin) -> Twin:
        """The twin with any option of its question for its answer: the same whenever that scene is drawn for that question."""
        options = self._question(twin.place).options
        answer = options[np.random.default_rng((self.seed, *twin.place)).integers(len(options))]
        return replace(twin, question=msgspec.structs.replace(twin.question, answer=answer))

    def scene(self, twin: Twin) -> Scene:
        """What the twin shows."""
        return self.examples[twin.place[0]].scene

    def _twin(self, n: int, place: Place, shared: dict[str, Any]) -> Twin:
        return Twin(str(n), place, msgspec.structs.replace(self._question(place), **shared))

    def _question(self, place: Place) -> Question:
        return self.examples[place[0]].questions[place[1]]


def _places(examples: Examples) -> dict[Key, Places]:
    """Where each question is asked that has a form, by its answer there."""
    places: defaultdict[Key, Places] = defaultdict(dict)
    for n, example in enumerate(examples):
        for m, question in enumerate(example.questions):
            if question.form:
                key = question.family, question.form, question.about
                places[key].setdefault(question.answer, []).append((n, m))
    return places


def blank(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A flat grey image of the same size."""
    return np.full_like(image, GREY)


class PairBatches(Batches):
    """Stage 3: the images of some pairs, and what is asked about them; every `blind_every`-th batch is of words alone.

    words: what those are drawn from.
    """

    def __init__(self, pairs: TrainingPairs, plan: StepPlan, vlm: Vlm, system: Plan, words: PackedBatches) -> None:
        super().__init__(plan)
        self.pairs, self.vlm, self.system, self.words = pairs, vlm, system, words

    def twins(self, step: int) -> list[Twin]:
        """Of a step's pairs, twins side by side, each with the answer that is rewarded."""
        numbers = range(step * self.plan.batch, (step + 1) * self.plan.batch)
        twins = [twin for n in numbers for twin in self.pairs.draw(n)]
        return list(map(self.pairs.with_random_answer, twins)) if self.system.corruption == "random" else twins

    def scenes(self, step: int) -> list[str]:
        """Names of a step's scenes."""
        if self.plan.is_blind(step):
            return self.words.scenes(step)
        return [self.pairs.scene(twin).id for twin in self.twins(step)]

    def __getitem__(self, step: int) -> dict[str, Any]:
        """One batch: pixel_values and twins, side by side; step: its number."""
        if self.plan.is_blind(step):
            return self.words[step]
        twins = self.twins(step)
        return {**self.vlm.image_inputs(self._images(twins)), "twins": twins, "step": step}

    def _images(self, twins: Sequence[Twin]) -> list[NDArray[np.uint8]]:
        images = [pixels.read(self.pairs.scene(twin).path) for twin in twins]
        return images if self.system.sees else [blank(image) for image in images]
