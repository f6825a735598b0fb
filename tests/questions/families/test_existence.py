from collections import Counter

from pstgen.core.config import build_config
from pstgen.core.report import Report
from pstgen.questions import families
from pstgen.questions.facts import known
from pstgen.questions.families import existence


def answers(scene):
    return {fact.about: fact.truth.answer for fact in existence.ask(scene)}


def test_a_thing_is_expected_as_far_as_it_is_given_the_context():
    assert {"mouse", "kite", "hot dog"} <= set(existence.answers("which", ("keyboard",)))
    question = "existence", "which", ("keyboard",)
    assert families.expected_of(question, "mouse") == (("existence", "given", ("mouse", "keyboard")), "yes")
    given = "existence", "given", ("mouse", "keyboard")
    assert families.expected_of(given, "no") == (given, "no")


def test_which_thing_is_there_is_asked_by_pairs_and_not_of_a_scene(kitchen):
    assert {fact.form for fact in existence.ask(kitchen)} == {"given"}


def test_what_a_detector_that_looked_did_not_detect_is_absent_of_every_kind(scene, thing):
    def known(detected):
        photo = scene(
            thing("toilet", 0, width=50, height=50),
            complete=False,
            captions=("A toilet.",),
            categories=("toilet", "cup", "bed"),
            detected=detected,
        )
        return answers(photo)

    assert known(None) == {("cup", "toilet"): None, ("bed", "toilet"): "no"}
    assert known(("toilet",)) == {("cup", "toilet"): "no", ("bed", "toilet"): "no"}
    assert known(("toilet", "bed")) == {("cup", "toilet"): "no", ("bed", "toilet"): None}


def test_asks_of_everything_given_what_is_there(kitchen):
    assert answers(kitchen) == {
        ("chair", "cup"): "no",
        ("dog", "cup"): "yes",
        ("chair", "dog"): "no",
        ("cup", "dog"): "yes",
    }


def test_a_crowd_or_a_tiny_thing_is_neither_there_nor_absent(scene, thing):
    some = scene(thing("cup", 0), thing("dog", 50, crowd=True), thing("chair", 80, width=5, height=5))
    assert answers(some)["dog", "cup"] is None
    assert answers(some)["chair", "cup"] is None


def test_what_a_caption_names_is_never_absent(scene, thing):
    """By word, plural, synonym or hyponym."""
    for caption in ("A dog sleeps.", "Two dogs.", "A puppy on the floor.", "A golden retriever."):
        photo = scene(thing("cup", 0, width=50, height=50), complete=False, captions=(caption, "A cup."))
        assert answers(photo)["dog", "cup"] is None


def test_what_annotators_miss_is_not_absent_on_photographs(scene, thing):
    photo = scene(
        thing("toilet", 0, width=50, height=50),
        complete=False,
        captions=("A toilet.",),
        categories=("toilet", "cup", "bed"),
    )
    assert answers(photo) == {("cup", "toilet"): None, ("bed", "toilet"): "no"}


def test_silence_without_captions_proves_nothing(scene, thing):
    photo = scene(thing("toilet", 0, width=50, height=50), complete=False, categories=("toilet", "bed"))
    assert answers(photo) == {("bed", "toilet"): None}


def test_something_people_call_the_same_makes_absence_unknown(scene, thing):
    photo = scene(
        thing("chair", 0, width=50, height=50),
        complete=False,
        captions=("A chair.",),
        categories=("chair", "couch", "bed"),
    )
    assert answers(photo)["couch", "chair"] is None


def test_unknowns_are_counted_by_reason(scene, thing):
    report = Report()
    some = scene(thing("cup", 0), thing("dog", 50, crowd=True))
    told = list(known([some], build_config(families=("existence",)), report))
    assert [fact.about for _, facts in told for fact in facts] == [("chair", "cup")]
    assert report.refused.facts == Counter({("existence", "there, but small, cut off or a crowd"): 1})


def test_what_captions_call_something_else_is_not_known_to_be_there(scene, thing):
    def there(captions, *more):
        photo = scene(
            thing("couch", 0, 0, 40, 40, id=1),
            thing("dog", 60, 60, 40, 40, id=2),
            *more,
            complete=False,
            captions=captions,
        )
        return {fact.truth.answer for fact in existence.ask(photo) if fact.about == ("couch", "dog")}

    assert there(("a dog on a couch",)) == {"yes"}
    assert there(("a dog by a chair",)) == {None}


def test_a_screen_by_its_keyboard_is_no_plain_tv(scene, thing):
    def there(*more):
        photo = scene(
            thing("tv", 0, 0, 40, 40, id=1),
            thing("dog", 60, 60, 40, 40, id=2),
            *more,
            complete=False,
            captions=("a dog and a tv",),
        )
        return {fact.truth.answer for fact in existence.ask(photo) if fact.about == ("tv", "dog")}

    assert there() == {"yes"}
    assert there(thing("keyboard", 60, 0, id=3)) == {None}
