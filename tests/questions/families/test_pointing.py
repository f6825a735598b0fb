from hypothesis import given
from hypothesis import strategies as st

from pstgen.questions.families import pointing

spots = st.tuples(st.integers(0, 70), st.integers(0, 70))


def truths(scene, form="on"):
    return {(fact.about, fact.mark): fact.truth for fact in pointing.ask(scene) if fact.form == form}


@given(spots, spots)
def test_agrees_with_the_corners_of_the_boxes(scene, thing, a, b):
    """Oracle: a mark is on a box if its corners say so; the later box is not drawn over the earlier one."""
    some = scene(thing("cup", *a, 30, 30, id=1), thing("dog", *b, 30, 30, id=2))

    def inside(kind, mark):
        left, top = a if kind == "cup" else b
        return left <= int(mark[0]) < left + 30 and top <= int(mark[1]) < top + 30

    for ((kind,), mark), truth in truths(some).items():
        if truth.known:
            assert (truth.answer == "yes") == inside(kind, mark)
    for (pair, mark), truth in truths(some, "which").items():
        assert [kind for kind in pair if inside(kind, mark)] == [truth.answer]


@given(spots)
def test_points_near_an_edge_are_not_asked_about(scene, thing, spot):
    for (_, mark), truth in truths(scene(thing("cup", *spot, 30, 30))).items():
        gap = min(abs(int(mark[0]) - edge) for edge in (spot[0], spot[0] + 30))
        if spot[1] <= int(mark[1]) < spot[1] + 30 and gap < 1:
            assert not truth.known


def test_a_crowd_near_the_point_makes_it_unknown(scene, thing):
    some = scene(thing("cup", 0, 0, 30, 30, id=1), thing("cup", 45, 45, 10, 10, id=2, crowd=True))
    told = {mark: truth for (_, mark), truth in truths(some).items()}
    assert told[10, 10].answer == "yes"
    assert not told[50, 50].known
    assert told[90, 90].answer == "no"
