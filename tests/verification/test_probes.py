"""What every probe leans on: pairs of features, folds that share no scene, and exact bounds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from pstgen.core.records import Item
from pstgen.dataset import store
from pstgen.verification import probes


def item(pair, role, scene, answer="yes"):
    return Item(
        item_id=f"{pair}-{role}", pair_id=pair, role=role, scene_id=scene, image="", family="existence", form="is",
        about=("cup",), frame="neutral", question="?", neutral="?", options=("no", "yes"), answer=answer, lure="no",
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40), st.integers(2, 6))
def test_every_pair_is_tested_once_and_no_scene_of_it_is_trained_on(drawn, folds):
    scenes = [frozenset({f"s{a}", f"s{b}"}) for a, b in drawn]
    splits = list(probes.scene_splits(scenes, folds, 0))
    assert sorted(n for _, test in splits for n in test) == list(range(len(scenes)))
    for train, test in splits:
        assert not {name for n in test for name in scenes[n]} & {name for n in train for name in scenes[n]}


def test_a_group_gives_one_pair_and_pairs_of_the_same_two_images_count_once():
    items = [item("p", "stress", "w/1"), item("p", "stress", "w/2"), item("p", "control", "w/3")]
    items += [item("q", "control", "w/1"), item("q", "stress", "w/3"), item("r", "stress", "w/9")]
    (pair,) = probes.paired((each, np.array([n], np.float32)) for n, each in enumerate(items))
    assert (pair.stress.scene_id, pair.control.scene_id) == ("w/1", "w/3")
    assert [float(features[0]) for features in pair.features] == [0, 2]


def test_the_first_twin_is_the_stress_twin_or_that_of_the_first_answer():
    twins = [(item("p", "stress", "w/1", "yes"), np.ones(1)), (item("p", "control", "w/2", "no"), np.zeros(1))]
    (pair,) = probes.paired(twins)
    assert pair.ordered("role")[0] == 1
    assert pair.ordered("answer")[0] == 0


def told_apart(first, second):
    scenes = [frozenset({f"s{n}"}) for n in range(len(first))]
    return probes.told_apart(first, second, scenes, classifier=LogisticRegression, folds=5, seed=0)


def test_a_difference_is_learned_and_where_there_is_none_a_coin_is_tossed():
    noise = np.random.default_rng(0).normal(size=(2, 300, 3)).astype(np.float32)
    assert told_apart(noise[0] + [2, 0, 0], noise[1]).mean() > 0.85
    assert 0.4 < told_apart(noise[0], noise[0]).mean() < 0.6


@pytest.mark.parametrize(("won", "total"), [(50, 100), (0, 20), (20, 20)])
def test_the_interval_holds_the_share_and_is_wider_than_an_unshared_one(won, total):
    shared, alone = (probes.proportion(np.arange(total) < won, level) for level in (0.95, 1 - 0.05 * probes.BOUNDS))
    assert shared.low <= won / total <= shared.high
    assert shared.high - shared.low > alone.high - alone.low


def test_families_are_paired_apart_and_two_scenes_count_once_in_each():
    items = [
        item("p", "stress", "w/1"),
        item("p", "control", "w/2"),
        item("q", "stress", "w/2"),
        item("q", "control", "w/1"),
    ]
    items = [replace(each, family="colour" if each.pair_id == "q" else "existence") for each in items]
    families = probes.by_family((each, np.zeros(1, np.float32)) for each in items)
    assert {family: [pair.control.pair_id for pair in pairs] for family, pairs in families.items()} == {
        "colour": ["q"], "existence": ["p"],
    }  # fmt: skip


def test_pictures_hold_the_mark_first_and_are_the_same_for_the_same_image(sound_set):
    looked_at = probes.pictures(store.open(sound_set))
    assert [each.item_id for each, _ in looked_at] == [each.item_id for each in store.open(sound_set).items()]
    assert {each.mark is not None for each, _ in looked_at} == {True, False}
    for each, features in looked_at:
        assert np.allclose(features[:2], np.array(each.mark or (-64, -64)) / 64)
    by_scene = {}
    for each, features in looked_at:
        if not each.mark and not each.label:
            assert np.array_equal(by_scene.setdefault(each.scene_id, features), features)


def test_more_bounds_that_hold_together_are_wider():
    few, many = (probes.proportion(np.arange(40) < 20, 0.95, bounds) for bounds in (1, 30))
    assert few.high - few.low < many.high - many.low
