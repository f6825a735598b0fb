from hypothesis import given
from hypothesis import strategies as st

from pstgen.families import pointing

spots = st.tuples(st.integers(0, 70), st.integers(0, 70))


def truths(scene):
    return {fact.about: fact.truth for fact in pointing.ask(scene)}


@given(spots, spots)
def test_agrees_with_the_corners_of_the_boxes(scene, thing, a, b):
    """Oracle: a point is on a box if its corners say so; the later box is not drawn over the earlier one."""
    some = scene(thing("cup", *a, 30, 30, id=1), thing("dog", *b, 30, 30, id=2))
    for (kind, x, y), truth in truths(some).items():
        left, top = a if kind == "cup" else b
        inside = left <= int(x) < left + 30 and top <= int(y) < top + 30
        if truth.known:
            assert (truth.answer == "yes") == inside


@given(spots)
def test_points_near_an_edge_are_not_asked_about(scene, thing, spot):
    told = truths(scene(thing("cup", *spot, 30, 30)))
    for (_, x, y), truth in told.items():
        gap = min(abs(int(x) - edge) for edge in (spot[0], spot[0] + 30))
        level = spot[1] <= int(y) < spot[1] + 30
        if level and gap < 1:
            assert not truth.known


def test_a_crowd_near_the_point_makes_it_unknown(scene, thing):
    some = scene(thing("cup", 0, 0, 30, 30, id=1), thing("cup", 45, 45, 10, 10, id=2, crowd=True))
    told = truths(some)
    assert told["cup", "10", "10"].answer == "yes"
    assert not told["cup", "50", "50"].known
    assert told["cup", "90", "90"].answer == "no"
