"""What metadata says of responsible use is true of the set."""

from collections import Counter
from dataclasses import replace

import pytest

from pstgen.dataset import contents, responsible, store


@pytest.fixture(scope="module")
def drawn(small_set):
    return contents.of(store.open(small_set))


@pytest.fixture(scope="module")
def photographed(drawn):
    return replace(drawn, sources=Counter(coco=drawn.items), twins=Counter(matched=drawn.items))


def test_every_field_that_venues_require_is_there_and_says_something(drawn, photographed):
    for held in (drawn, photographed):
        said = responsible.statements(held)
        assert all(said[name] not in {"", None} for name in responsible.REQUIRED)


def test_drawings_are_synthetic_and_show_nobody(drawn):
    said = responsible.statements(drawn)
    assert said["hasSyntheticData"] is True
    assert said["personalSensitiveInformation"].startswith("None")


def test_photographs_may_show_people_and_are_synthetic_only_where_edited(photographed):
    said = responsible.statements(photographed)
    assert said["hasSyntheticData"] is False
    assert "people" in said["personalSensitiveInformation"]
    edited = responsible.statements(replace(photographed, twins=Counter(matched=1, remove=2)))
    assert edited["hasSyntheticData"] is True
    assert "2 items show a picture that was edited" in edited["dataLimitations"]


def test_whether_faces_are_blurred_is_said_as_it_is(photographed):
    as_they_are, blurred = responsible.faces(photographed), responsible.faces(replace(photographed, blurred=True))
    assert "as the source has them" in as_they_are
    assert "blurred" in blurred


def test_surveillance_is_named_as_no_intended_use(drawn):
    assert "Surveillance is no intended use" in responsible.statements(drawn)["dataSocialImpact"]
