"""The sample: fair at every length, the same for a seed, and led by nothing."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import Item
from pstgen.dataset import store
from pstgen.verification.audit import sample

SIZES = st.dictionaries(st.sampled_from(["count", "colour", "depth", "size"]), st.integers(1, 40), min_size=1)


def items(sizes, twins=2):
    return [
        Item(
            item_id=f"{family}-{n}-{'abcd'[twin]}",
            pair_id=f"{family}-{n}",
            role="stress" if twin else "control",
            scene_id=f"world/{n}",
            image="",
            family=family,
            form="",
            about=(),
            frame="neutral",
            question="?",
            neutral="?",
            options=("yes", "no"),
            answer="yes",
            lure="yes",
        )
        for family, many in sizes.items()
        for n in range(many)
        for twin in range(twins)
    ]


def families(drawn):
    return Counter(name.partition("-")[0] for name in drawn)


@given(SIZES, st.integers(1, 200), st.integers(2, 4))
def test_pairs_stay_whole_and_reach_the_number(sizes, n, twins):
    drawn = sample.draw(items(sizes, twins), n, 0)
    assert len(set(drawn)) == len(drawn) == min(-(-n // twins), sum(sizes.values()))


@given(SIZES, st.integers(1, 80), st.integers(0, 9))
def test_every_beginning_holds_the_families_in_proportion(sizes, pairs, seed):
    """Each family has its share, or at most one pair more or less for each family that there is."""
    drawn = families(sample.draw(items(sizes), 2 * pairs, seed))
    total = sum(sizes.values())
    for family, many in sizes.items():
        assert abs(drawn[family] - min(pairs, total) * many / total) <= len(sizes)


@given(SIZES, st.integers(0, 9))
def test_no_family_is_left_out_where_there_is_room(sizes, seed):
    assert set(families(sample.draw(items(sizes), 2 * len(sizes), seed))) == set(sizes)


@given(SIZES, st.integers(0, 9), st.randoms())
def test_the_same_seed_draws_the_same_whatever_order_the_rows_have(sizes, seed, chance):
    all_items = items(sizes)
    mixed = chance.sample(all_items, len(all_items))
    assert sample.draw(all_items, 20, seed) == sample.draw(mixed, 20, seed)


def test_another_seed_draws_others():
    all_items = items({"count": 40})
    assert sample.draw(all_items, 20, 0) != sample.draw(all_items, 20, 1)


@given(SIZES, st.integers(1, 60), st.integers(1, 60))
def test_a_larger_sample_goes_on_from_the_smaller(sizes, n, more):
    all_items = items(sizes)
    smaller = sample.draw(all_items, n, 0)
    assert sample.draw(all_items, n + more, 0)[: len(smaller)] == smaller


def test_pictures_are_the_sets_own_bytes_in_the_order_of_their_ids(built):
    dataset = store.open(built)
    names = sample.draw(dataset.items(), 12, 0)
    pictures = sample.pictures(names, dataset.rows())
    assert [twins[0].item.pair_id for twins in pictures] == names
    assert all(
        [picture.item.item_id for picture in twins] == sorted(picture.item.item_id for picture in twins)
        for twins in pictures
    )
    images = {row.item.item_id: row.image for row in dataset.rows()}
    assert all(picture.image == images[picture.item.item_id] for twins in pictures for picture in twins)


@pytest.mark.parametrize("has", [True, False])
def test_what_shows_the_answer_is_an_overlay_and_an_absence_has_none(built, has):
    dataset = store.open(built)
    pictures = sample.pictures(sample.draw(dataset.items(), 10_000, 0), dataset.rows())
    shown = [picture for twins in pictures for picture in twins if bool(picture.item.evidence) == has]
    assert shown
    assert all((picture.overlay is not None) == has for picture in shown)
