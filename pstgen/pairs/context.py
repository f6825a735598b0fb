"""What all twin makers share: prior, configuration and work folder, and how facts with one question become a candidate."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pstgen.core.config import BuildConfig
from pstgen.core.records import Candidate, Fact, Scene
from pstgen.questions import families
from pstgen.questions.priors import Expectation

MOST_OPTIONS = 4


@dataclass(frozen=True)
class PairContext:
    """What every twin maker is opened with.

    work: a folder for images that are made. refused: what was not made, counted by edit and reason.
    """

    prior: Expectation
    config: BuildConfig
    work: Path
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)

    def expects(self, question: tuple[str, str, tuple[str, ...]]) -> dict[str, float]:
        """The probability of every answer, before looking, in natural order."""
        family, form, about = question
        answers = families.load(family).answers(form, about)
        return dict(zip(answers, self.prior.expect(question, answers), strict=True))


def candidate(
    control: Fact,
    stress: Sequence[Fact],
    expected: dict[str, float],
    twin: str = "retrieved",
    scenes: Sequence[Scene] = (),
) -> Candidate:
    """Offer the twins' answers and what else one would expect, at most MOST_OPTIONS, in natural order."""
    answers = [str(fact.truth.answer) for fact in (control, *stress)]
    more = sorted((answer for answer in expected if answer not in answers), key=lambda answer: -expected[answer])
    chosen = {*answers, *more[: MOST_OPTIONS - len(answers)]}
    options = tuple(answer for answer in expected if answer in chosen)
    total = sum(expected[option] for option in options)
    text = f"{control.question} {' '.join(fact.scene_id for fact in (*stress, control))}"
    return Candidate(
        pair_id=f"{control.family}-{sha256(text.encode()).hexdigest()[:12]}",
        stress=tuple(stress),
        control=control,
        options=options,
        prior=tuple(expected[option] / total for option in options),
        twin=twin,
        scenes=tuple(scenes),
    )
