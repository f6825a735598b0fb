"""What a set holds is counted from its rows."""

from collections import Counter
from dataclasses import replace

import msgspec

from pstgen.dataset import contents, store


def test_counts_are_those_of_the_rows(small_set):
    dataset = store.open(small_set)
    held, items, cells = contents.of(dataset), list(dataset.items()), list(dataset.cells())
    assert held.items == len(items) == dataset.manifest.items
    assert held.pairs == Counter(item.family for item in items if item.role == "control")
    assert held.licences == Counter(row["licence"] for row in cells)
    assert held.twins == Counter(item.twin for item in items)
    assert held.unlicensed == ()
    assert held.synthetic


def test_a_picture_counts_as_changed_where_something_was_drawn_into_it_or_it_was_edited(small_set):
    dataset = store.open(small_set)
    drawn = [item for item in dataset.items() if item.twin != "matched" or item.mark or item.label]
    assert drawn
    assert contents.of(dataset).changed.total() == len(drawn)


def test_where_faces_are_blurred_every_png_may_be_changed(small_set):
    dataset = store.open(small_set)
    settings = dataset.manifest.settings | {contents.BLURRED: True}
    blurred = contents.of(replace(dataset, manifest=msgspec.structs.replace(dataset.manifest, settings=settings)))
    assert blurred.blurred
    assert blurred.changed.total() == dataset.manifest.items


def test_items_without_a_licence_are_named(stress_set):
    held = contents.of(store.open(stress_set))
    assert len(held.unlicensed) == held.items > 0
    assert held.by_licence == []
