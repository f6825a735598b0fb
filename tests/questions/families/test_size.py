from hypothesis import given
from hypothesis import strategies as st

from pstgen.questions.families import size
from pstgen.scenes import pixels

sides = st.integers(16, 60)
spots = st.integers(2, 30)


def only(scene):
    (fact,) = size.ask(scene)
    return fact.truth


def test_asks_every_two_things_that_are_alone_once(scene, thing):
    some = scene(thing("cup", 5, 5), thing("dog", 60, 5), thing("chair", 5, 50, id=7), thing("chair", 60, 60, id=8))
    assert [fact.about for fact in size.ask(some)] == [("cup", "dog")]


def test_what_the_edge_cuts_off_has_no_size(scene, thing):
    assert only(scene(thing("cup", 0, 5), thing("dog", 30, 30, 60, 60))).reason == "cut off by the edge"


def test_options_are_what_people_say(scene, thing):
    some = scene(thing("dining table", 5, 5, 20, 20), thing("tv", 30, 30, 60, 60))
    (fact,) = size.ask(some)
    assert size.answers(fact.form, fact.about) == ("table", "TV")
    assert fact.truth.answer == "TV"


@given(sides, sides, sides, sides, spots, spots)
def test_agrees_with_counted_pixels(scene, thing, w, h, v, g, x, y):
    """Oracle: the pixels of the masks, counted, where one has half as many again."""
    some = scene(thing("cup", x, y, w, h, id=1, within=(100, 100)), thing("dog", 99 - v, 99 - g, v - 2, g - 2, id=2))
    cup, dog = (int(pixels.mask(one, some).sum()) for one in some.instances)
    told = only(some)
    if told.known:
        assert told.answer == ("cup" if cup > dog else "dog")
        assert max(cup, dog) >= 1.5 * min(cup, dog)


@given(sides, st.integers(26, 60), spots, spots)
def test_mirroring_and_order_change_nothing(scene, thing, w, v, x, y):
    def at(flip, turn):
        starts, widths = (x, 70 - v // 2), (w, v // 2)
        left = [100 - a - b if flip else a for a, b in zip(starts, widths, strict=True)]
        things = [thing("cup", left[0], y, w, w, id=1), thing("dog", left[1], 20, v // 2, v // 2, id=2)]
        return scene(*(things[::-1] if turn else things))

    assert len({only(at(flip, turn)) for flip in (False, True) for turn in (False, True)}) == 1
