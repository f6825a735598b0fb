"""What all twin makers share: prior, configuration and work folder, and how facts with one question become a candidate."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pstgen.core.config import BuildConfig
from pstgen.core.records import MATCHED, Association, Candidate, Fact, Scene
from pstgen.questions import families
from pstgen.questions.families import Question
from pstgen.questions.priors import Expectation

MOST_OPTIONS = 4
LEAST = 5  # times that the words were counted, before they make anybody expect anything

Associations = Mapping[str, Association]  # by answer, in natural order


@dataclass(frozen=True)
class PairContext:
    """What every twin maker is opened with.

    work: a folder for images that are made. refused: what was not made, counted by edit and reason.
    """

    prior: Expectation
    config: BuildConfig
    work: Path
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)

    def associations(self, question: Question, answers: Sequence[str] = ()) -> dict[str, Association]:
        """What the words add to every answer, in natural order. answers: those that are offered; none means all."""
        family, form, about = question
        chosen = tuple(answers) or families.load(family).answers(form, about)
        return dict(zip(chosen, self.prior.associate(question, chosen), strict=True))

    def is_lure(self, association: Association) -> bool:
        """Do the words surely suggest such an answer: counted often enough, and its interval on one side of `min_pull`?"""
        return association.n >= LEAST and association.low > self.config.pairs.min_pull

    def lure(self, added: Associations) -> str | None:
        """The answer that the words suggest most surely; None where they suggest none."""
        suggested = [answer for answer, association in added.items() if self.is_lure(association)]
        return max(suggested, key=lambda answer: added[answer].low, default=None)


def candidate(
    control: Fact,
    stress: Sequence[Fact],
    added: Associations,
    twin: str = MATCHED,
    scenes: Sequence[Scene] = (),
) -> Candidate | None:
    """Offer the twins' answers and others, at most MOST_OPTIONS, in natural order; the words add most to the control's.

    added: what they add to every possible answer. None where they add more to a stress twin's answer.
    """
    lure, *others = (str(fact.truth.answer) for fact in (control, *stress))
    weaker = sorted((a for a in added if added[a].value < added[lure].value), key=lambda a: -added[a].value)
    if not set(others) <= set(weaker):
        return None
    more = [answer for answer in weaker if answer not in others]
    chosen = {lure, *others, *more[: MOST_OPTIONS - 1 - len(others)]}
    options = tuple(answer for answer in added if answer in chosen)
    return Candidate(
        pair_id=name_of(control.question, options, [fact.scene_id for fact in (*stress, control)]),
        stress=tuple(stress),
        control=control,
        options=options,
        associations=tuple(added[option] for option in options),
        twin=twin,
        scenes=tuple(scenes),
    )


def name_of(question: Question, options: tuple[str, ...], scenes: Sequence[str]) -> str:
    """A pair's name, by its contents. options: in natural order; scenes: of the stress twins, then of the control."""
    text = f"{question} {options} {' '.join(scenes)}"
    return f"{question[0]}-{sha256(text.encode()).hexdigest()[:12]}"
