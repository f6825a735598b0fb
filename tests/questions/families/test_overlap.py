import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pstgen.questions.families import overlap
from pstgen.scenes import pixels
from pstgen.scenes.world.draw import draw
from pstgen.scenes.world.plan import plan
from pstgen.scenes.world.scenes import scene as drawn

spots = st.tuples(st.integers(0, 80), st.integers(0, 80))


def truths(scene):
    return {(fact.form, fact.about): fact.truth for fact in overlap.ask(scene)}


@given(spots, spots)
def test_touching_agrees_with_the_gap_between_the_boxes(scene, thing, a, b):
    """Oracle: both are full boxes, so the gap follows from their corners."""
    some = scene(thing("cup", *a, id=1), thing("dog", *b, id=2))
    gap = np.hypot(*(max(0, abs(p - q) - 20) for p, q in zip(a, b, strict=True)))
    told = truths(some)["touching", ("cup", "dog")]
    if told.known:
        assert (told.answer == "yes") == (gap < 3)
    if gap == 0 or gap > 7:
        assert told.known


@given(spots, spots)
def test_mirroring_changes_nothing(scene, thing, a, b):
    there, back = (
        scene(
            thing("cup", 80 - a[0] if flip else a[0], a[1], id=1), thing("dog", 80 - b[0] if flip else b[0], b[1], id=2)
        )
        for flip in (False, True)
    )
    assert truths(there) == truths(back)


def test_photographs_do_not_tell_what_is_behind(scene, thing):
    some = scene(thing("cup", 0), thing("dog", 10, id=2))
    assert not any(truth.known for (form, _), truth in truths(some).items() if form == "front")


def test_in_the_world_the_one_in_front_is_drawn_over_the_other():
    """Oracle: where both whole masks are, the picture shows the one that is said to be in front."""
    asked = 0
    for n in range(150):
        planned = plan(4, n, 0.8)
        told, _ = drawn(planned, 96, None, None)
        owner = draw(planned, 96).owner
        by_name = {thing.category: thing for thing in told.instances}
        for (form, (a, b)), truth in truths(told).items():
            if form == "front" and truth.known:
                common = np.logical_and(*(pixels.mask(by_name[name], told, full=True) for name in (a, b)))
                front, back = (by_name[name].id for name in ((a, b) if truth.answer == "yes" else (b, a)))
                assert (owner[common] == front).any()
                assert not (owner[common] == back).any()
                asked += 1
    assert asked > 20
