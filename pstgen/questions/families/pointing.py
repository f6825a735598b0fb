"""What lies at the marked point? The mark is drawn into the picture.

Needs: masks. Known: on an X, where the point is well inside one of its masks; not on it, where every X is far; on
photographs only of what a caption names and whose outline holds nothing else. Prior: what usually gets marked. Options: yes and no, or the two things. Evidence: every X, and the mark. Words: {thing}, {other}.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import combinations

from pstgen.core.records import Fact, Instance, Item, Scene, Truth
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import contact, layout

ACROSS = DOWN = (0.1, 0.3, 0.5, 0.7, 0.9)  # shares of the image's width and height, from the top left


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:
    """Yes or no, or the two things."""
    return ("yes", "no") if form == "on" else tuple(map(vocabulary.spoken, about))


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Put marks on a grid and ask whether they lie on a kind that is plainly there, or on which of two single things."""
    kinds = {kind: things for kind, things in layout.by_category(scene).items() if any(thing.rle for thing in things)}
    plain = sorted(kind for kind, things in kinds.items() if any(layout.is_plain(thing, scene) for thing in things))
    if not scene.complete:
        plain = [kind for kind in plain if not vocabulary.terms(kind).hollow and vocabulary.mentioned(kind, scene)]
    if not plain:
        return
    pairs = list(combinations(sorted(kinds.keys() & layout.alone(scene).keys()), 2))
    for x, y in _spots(scene):
        on = contact.hit_test(x, y, scene)
        mark = (round(x * scene.width, 1), round(y * scene.height, 1))
        truths = {kind: on(kind) for kind in plain}
        questions: list[tuple[str, tuple[str, ...], Truth]] = [("on", (kind,), truth) for kind, truth in truths.items()]
        questions += [
            ("which", pair, Truth(vocabulary.spoken(next(kind for kind in pair if truths[kind].answer == "yes"))))
            for pair in pairs
            if {truths[kind].answer for kind in pair if kind in truths} == {"yes", "no"}
        ]
        for form, about, truth in questions:
            evidence = tuple(thing.id for kind in about for thing in kinds[kind])
            yield Fact(
                scene_id=scene.id,
                family="pointing",
                form=form,
                about=about,
                truth=truth,
                evidence=evidence,
                mark=mark,
            )


def _spots(scene: Scene) -> list[tuple[float, float]]:
    """The grid's points in an order that the scene's name draws, so that no place is favoured."""
    grid = [(x, y) for x in ACROSS for y in DOWN]
    return sorted(grid, key=lambda spot: sha256(f"{scene.id}{spot}".encode()).digest())


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:  # noqa: ARG001
    """Where the mark is."""
    if item.mark:
        yield f"the mark at ({item.mark[0]:.0f}, {item.mark[1]:.0f})"
