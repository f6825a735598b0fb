"""There is a Y. Is there an X? Which of four things is there too?

Needs: categories and instances; on photographs captions too. Known: yes, where one is plain to see; no, where nothing is
annotated, no caption names it, nothing that people call the same is there, and it is of a kind that nobody overlooks (a
detector, where one is named, must be silent as well). Prior: how much oftener there is an X where there is a Y. Options: yes
and no, or four things. Evidence: every X; of an absence, the whole image. Words: {thing}, {context}.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from pstgen.core.records import Fact, Item, Scene, Truth, unknown
from pstgen.questions.families import ANYWHERE, GqaForm, Question
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import layout, presence

CONTEXTS = ("given",)

GQA = {"given": GqaForm("verify", "obj", "exist", "select: {the_a}->exist: ? [0]", "exist")}


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no, or anything that has a name."""
    return vocabulary.things() if form == "which" else ("yes", "no")


def expected_of(form: str, about: tuple[str, ...], answer: str, /) -> tuple[Question, str]:
    """A thing is expected as far as it is, given the context, that there is one."""
    if form == "which":
        return ("existence", "given", (vocabulary.category(answer), *about)), "yes"
    return ("existence", form, about), answer


def choose(scene: Scene, item: Item, /) -> Iterator[Fact]:
    """Which of the options is there beside the context: known where one is plain to see and the others certainly are not."""
    truths = presence.by_category(scene)
    if item.form == "which" and all(truths[context].answer == "yes" for context in item.about):
        of = {noun: truths[vocabulary.category(noun)] for noun in item.options}
        there = [noun for noun, truth in of.items() if truth.answer == "yes"]
        doubt = next((truth for noun, truth in of.items() if not truth.known), None)
        truth = doubt or (Truth(there[0]) if len(there) == 1 else unknown("none of them is there, or several are"))
        things = layout.by_category(scene).get(vocabulary.category(there[0]), []) if there else []
        evidence = tuple(thing.id for thing in things)
        yield Fact(
            scene_id=scene.id, family="existence", form="which", about=item.about, truth=truth, evidence=evidence
        )


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every category, given each other one that is plainly there. Which of several is there, pairs ask: pairs/choices."""
    truths = presence.by_category(scene)
    evidence = {kind: tuple(thing.id for thing in things) for kind, things in layout.by_category(scene).items()}
    given = [kind for kind, truth in truths.items() if truth.answer == "yes"]
    for context in given:
        for kind, truth in truths.items():
            if kind != context:
                yield Fact(
                    scene_id=scene.id,
                    family="existence",
                    form="given",
                    about=(kind, context),
                    truth=truth,
                    evidence=evidence.get(kind, ()),
                )


class Counted:
    """How often each question had each answer in many scenes: nine in ten facts of a source are these, too many to be made."""

    def __init__(self) -> None:
        self.given: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)  # context, answer → category
        self.anywhere: defaultdict[str, Counter[str]] = defaultdict(Counter)  # answer → category

    def add(self, scene: Scene, /) -> None:
        """Count what `ask` knows of the scene."""
        by_answer: dict[str, list[str]] = {"yes": [], "no": []}
        for kind, truth in presence.by_category(scene).items():
            if truth.answer is not None:
                by_answer[truth.answer].append(kind)
        contexts = by_answer["yes"]
        for answer, kinds in by_answer.items():
            for context in contexts:
                self.given[context, answer].update(kinds)
            if len(contexts) > (answer == "yes"):  # another thing that is there
                self.anywhere[answer].update(kinds)

    def tally(self, /) -> Iterator[tuple[tuple[Question, str], int]]:
        """Every question with its answer, as `priors.count` counts them, and how often it was given."""
        for (context, answer), kinds in self.given.items():
            for kind, n in kinds.items():
                if kind != context:
                    yield (("existence", "given", (kind, context)), answer), n
        for answer, kinds in self.anywhere.items():
            for kind, n in kinds.items():
                yield (("existence", f"given{ANYWHERE}", (kind,)), answer), n
