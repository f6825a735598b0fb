"""Captions name categories by their words."""

import pytest

from pstgen.scenes import vocabulary


@pytest.mark.parametrize(
    ("category", "caption"),
    [
        ("person", "Two men and a dog"),
        ("person", "A WOMAN sits"),
        ("knife", "knives on a board"),
        ("couch", "a sofa by the window"),
        ("hot dog", "a hotdog with mustard"),
        ("traffic light", "some traffic lights."),
        ("tv", "a flat screen on the wall"),
    ],
)
def test_a_caption_names_a_category_by_any_of_its_words(scene, category, caption):
    assert category in vocabulary.mentioned(scene(captions=(caption,), categories=(category,)))


@pytest.mark.parametrize(("category", "caption"), [("cat", "a category of cattle"), ("car", "a carpet and a carrot")])
def test_part_of_a_word_is_not_the_word(scene, category, caption):
    assert category not in vocabulary.mentioned(scene(captions=(caption,), categories=(category,)))


def test_an_unknown_category_is_known_by_its_own_name(scene):
    assert "toucan" in vocabulary.mentioned(scene(captions=("three toucans",), categories=("toucan",)))
    assert not vocabulary.terms("toucan").conspicuous


def test_every_category_that_another_is_confused_with_is_in_the_table():
    from pstgen.core import resources

    table = resources.read("data_sources", "words", dict[str, vocabulary.Terms])
    assert len(table) == 80
    assert {other for row in table.values() for other in row.alike} <= set(table)


def test_every_word_that_only_hints_is_no_name_too():
    """A word is one or the other; rivals are never the category's own name."""
    from pstgen.core import resources

    for category, row in resources.read("data_sources", "words", dict[str, vocabulary.Terms]).items():
        assert not vocabulary.names(category) & set(row.hints)
        assert not vocabulary.names(category) & set(row.rivals)
        assert set(row.several) <= set(row.words)


@pytest.mark.parametrize(
    ("category", "caption"), [("sink", "a bathroom"), ("person", "a hand"), ("apple", "some fruit")]
)
def test_a_hint_mentions_a_category_and_does_not_name_it(scene, category, caption):
    assert category in vocabulary.mentioned(scene(captions=(caption,), categories=(category,)))
    assert not vocabulary.named(category, scene(captions=(caption,)))


def test_a_suitcase_is_hollow_and_a_bidet_is_no_toilet(scene):
    assert vocabulary.terms("suitcase").hollow
    assert vocabulary.rivalled("toilet", scene(captions=("a bidet",)))
    assert not vocabulary.named("toilet", scene(captions=("a bidet",)))
