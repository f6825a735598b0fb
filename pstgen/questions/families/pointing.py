"""What is at the marked point, in a picture with a Y? Is it on an X? The mark is drawn into the picture.

Needs: masks, and a thing that is plain to see. Known: on an X, where the point is well inside one of its masks; not on it,
where every X is far and it is well inside something else; on photographs only of what a caption names and whose outline holds
nothing else. Prior: how much oftener there is an X where there is a Y. Options: yes and no, or four things. Evidence:
every X, and the mark. Words: {thing}, {context}.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from pstgen.core.records import Fact, Instance, Item, Scene, Truth, unknown
from pstgen.questions.families import Question
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import contact, layout, presence

ACROSS = DOWN = (0.1, 0.3, 0.5, 0.7, 0.9)  # shares of the image's width and height, from the top left


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no, or anything that has a name."""
    return vocabulary.things() if form == "what" else ("yes", "no")


def expected_of(form: str, about: tuple[str, ...], answer: str, /) -> tuple[Question, str]:
    """A mark is expected on what is expected in such a picture: a mark's place is the maker's choice."""
    if form == "what":
        return ("existence", "given", (vocabulary.category(answer), *about)), "yes"
    return ("existence", "given", about), answer


def choose(scene: Scene, item: Item, /) -> Iterator[Fact]:
    """What is at the mark, beside the context: known where it is well on one option, and the others are elsewhere or not there."""
    spot = next((spot for spot in _spots(scene) if _mark(spot, scene) == item.mark), None)
    there = presence.by_category(scene)
    if item.form == "what" and spot and all(there[context].answer == "yes" for context in item.about):
        on = contact.hit_test(*spot, scene)
        kinds = {noun: vocabulary.category(noun) for noun in item.options}
        hit = [noun for noun, kind in kinds.items() if on(kind).answer == "yes"]
        clear = all("no" in {on(kind).answer, there[kind].answer} for noun, kind in kinds.items() if noun not in hit)
        truth = Truth(hit[0]) if len(hit) == 1 and clear else unknown("the mark is not on one of them alone")
        things = layout.by_category(scene).get(kinds[hit[0]], []) if hit else []
        yield Fact(
            scene_id=scene.id,
            family="pointing",
            form="what",
            about=item.about,
            truth=truth,
            evidence=tuple(thing.id for thing in things),
            mark=item.mark,
        )


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of each kind that is plainly there, of one mark that is on it and one that is on something else.

    What is at the mark, pairs ask: pairs/choices.
    """
    kinds = {kind: things for kind, things in layout.by_category(scene).items() if any(thing.rle for thing in things)}
    plain = sorted(kind for kind, things in kinds.items() if any(layout.is_plain(thing, scene) for thing in things))
    if not scene.complete:
        plain = [kind for kind in plain if not vocabulary.terms(kind).hollow and vocabulary.named(kind, scene)]
    contexts = [kind for kind, truth in presence.by_category(scene).items() if truth.answer == "yes"]
    if not plain or len(contexts) < 2:
        return
    left: set[tuple[str, str | None]] = {(kind, answer) for kind in plain for answer in ("yes", "no")}
    for x, y in _spots(scene):
        on = contact.hit_test(x, y, scene)
        truths = {kind: on(kind) for kind in plain}
        if not any(truth.answer == "yes" for truth in truths.values()):
            continue
        mark = _mark((x, y), scene)
        for kind, truth in truths.items():
            if (kind, truth.answer) in left:
                left.remove((kind, truth.answer))
                evidence = tuple(thing.id for thing in kinds[kind])
                for context in contexts:
                    if context != kind:
                        yield Fact(
                            scene_id=scene.id,
                            family="pointing",
                            form="on",
                            about=(kind, context),
                            truth=truth,
                            evidence=evidence,
                            mark=mark,
                        )


def _mark(spot: tuple[float, float], scene: Scene) -> tuple[float, float]:
    """In pixels, as it is written."""
    return round(spot[0] * scene.width, 1), round(spot[1] * scene.height, 1)


def _spots(scene: Scene) -> list[tuple[float, float]]:
    """The grid's points in an order that the scene's name draws, so that no place is favoured."""
    grid = [(x, y) for x in ACROSS for y in DOWN]
    return sorted(grid, key=lambda spot: sha256(f"{scene.id}{spot}".encode()).digest())


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:  # noqa: ARG001
    """Where the mark is."""
    if item.mark:
        yield f"the mark at ({item.mark[0]:.0f}, {item.mark[1]:.0f})"
