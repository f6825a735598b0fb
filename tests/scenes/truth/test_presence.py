"""On photographs a thing is there if it is large, or a caption bears witness to it, by a word for it."""

import pytest

from pstgen.scenes.truth import layout, presence


def there(scene, things, *captions, detected=None):
    photo = scene(*things, complete=False, captions=captions, detected=detected)
    return presence.exists(list(things), photo).answer


@pytest.mark.parametrize(("side", "answer"), [(20, None), (24, None), (26, "yes"), (60, "yes")])
def test_what_no_caption_names_is_there_only_if_it_is_large(scene, thing, side, answer):
    assert there(scene, [thing("dog", 10, 10, side, side)], "A red ball.") == answer


def test_what_a_caption_names_may_be_smaller(scene, thing):
    assert there(scene, [thing("dog", 10, 10, 14, 14)], "A dog.") == "yes"


def test_a_detector_that_looked_must_see_what_no_caption_names(scene, thing):
    dog = [thing("dog", 10, 10, 60, 60)]
    assert there(scene, dog, "A ball.", detected=("cup",)) is None
    assert there(scene, dog, "A ball.", detected=("cup", "dog")) == "yes"
    assert there(scene, dog, "A dog.", detected=("cup",)) == "yes"


def test_a_detector_that_looked_and_saw_nothing_is_not_one_that_did_not_look(scene, thing):
    dog = [thing("dog", 10, 10, 60, 60)]
    assert there(scene, dog, "A ball.", detected=None) == "yes"
    assert there(scene, dog, "A ball.", detected=()) is None


def test_without_captions_a_medium_size_is_enough(scene, thing):
    assert there(scene, [thing("dog", 10, 10, 20, 20)]) == "yes"
    assert there(scene, [thing("dog", 10, 10, 16, 16)]) is None


@pytest.mark.parametrize(("category", "caption"), [("refrigerator", "A kitchen."), ("sink", "A bathroom."), ("bed", "A bedroom."), ("banana", "Some fruit."), ("car", "Much traffic.")])  # fmt: skip
def test_its_place_or_its_kind_bears_no_witness_to_a_thing_and_leaves_its_absence_unknown(
    scene, thing, category, caption
):
    assert there(scene, [thing(category, 10, 10, 20, 20)], caption) is None
    empty = scene(complete=False, captions=(caption,), categories=(category,))
    assert not presence.by_category(empty)[category].known


@pytest.mark.parametrize(
    ("category", "caption", "answer"),
    [
        ("toilet", "A toilet.", "yes"),
        ("toilet", "A bidet.", None),
        ("toilet", "A toilet and a bidet.", "yes"),
        ("dining table", "A table.", "yes"),
        ("dining table", "A counter.", None),
        ("dining table", "A desk.", None),
        ("dining table", "A meal.", None),
        ("sink", "A sink in a counter.", "yes"),
        ("sink", "A basin in a counter.", None),
    ],
)
def test_what_a_caption_calls_something_else_is_unknown(scene, thing, category, caption, answer):
    assert there(scene, [thing(category, 10, 10, 60, 60)], caption) == answer


def test_a_thing_that_only_its_place_speaks_for_is_not_plain(scene, thing):
    sink = thing("sink", 10, 10, 20, 20)
    assert not layout.is_plain(sink, scene(sink, complete=False, captions=("a bathroom",)))


@pytest.mark.parametrize("detected", [None, ("fork",)])
@pytest.mark.parametrize(("category", "answer"), [("book", None), ("bowl", None), ("oven", "no"), ("fork", None)])
def test_nobody_knows_that_there_is_none_of_what_people_do_not_agree_on_unless_it_is_large(
    scene, category, answer, detected
):
    """A fork: detected, or easily missed where no detector looked."""
    street = scene(complete=False, captions=("A street.",), categories=(category, "fork"), detected=detected)
    assert presence.by_category(street)[category].answer == answer
