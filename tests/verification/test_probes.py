"""What every probe leans on: couples, folds that share no scene, and exact bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from pstgen.core.records import Item
from pstgen.verification import probes
from pstgen.verification.probes import Told


def item(pair, role, scene, answer="yes"):
    return Item(
        item_id=f"{pair}-{role}", pair_id=pair, role=role, scene_id=scene, image="", family="existence", form="is",
        about=("cup",), frame="neutral", question="?", neutral="?", options=("no", "yes"), answer=answer, lure="no",
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40), st.integers(2, 6))
def test_every_couple_is_asked_once_and_no_scene_of_it_is_learnt_from(drawn, folds):
    scenes = [frozenset({f"s{a}", f"s{b}"}) for a, b in drawn]
    parts = list(probes.parts(scenes, folds, 0))
    assert sorted(n for asked, _ in parts for n in asked) == list(range(len(scenes)))
    for asked, learnt in parts:
        assert not {name for n in asked for name in scenes[n]} & {name for n in learnt for name in scenes[n]}


def test_a_group_gives_one_couple_and_pairs_of_the_same_two_pictures_count_once():
    seen = [item("p", "stress", "w/1"), item("p", "stress", "w/2"), item("p", "control", "w/3")]
    seen += [item("q", "control", "w/1"), item("q", "stress", "w/3"), item("r", "stress", "w/9")]
    couples = probes.couples((one, np.array([n], np.float32)) for n, one in enumerate(seen))
    assert [(c.stress.scene_id, c.control.scene_id) for c in couples] == [("w/1", "w/3")]
    assert [float(look[0]) for look in couples[0].looks] == [0, 2]


def test_the_first_twin_is_the_stress_twin_or_that_of_the_first_answer():
    seen = [(item("p", "stress", "w/1", "yes"), np.ones(1)), (item("p", "control", "w/2", "no"), np.zeros(1))]
    (couple,) = probes.couples(seen)
    assert couple.ordered("role")[0] == 1
    assert couple.ordered("answer")[0] == 0


def apart(first, second):
    scenes = [frozenset({f"s{n}"}) for n in range(len(first))]
    return probes.apart(first, second, scenes, model=LogisticRegression, folds=5, seed=0)


def test_a_difference_is_learnt_and_none_is_tossed_for():
    noise = np.random.default_rng(0).normal(size=(2, 300, 3)).astype(np.float32)
    assert apart(noise[0] + [2, 0, 0], noise[1]).mean() > 0.85
    assert 0.4 < apart(noise[0], noise[0]).mean() < 0.6


@pytest.mark.parametrize(("won", "of"), [(50, 100), (0, 20), (20, 20)])
def test_the_interval_holds_the_share_and_is_wider_than_an_unshared_one(won, of):
    told, alone = (Told.of(np.arange(of) < won, level) for level in (0.95, 1 - 0.05 * probes.ASKED))
    assert told.low <= won / of <= told.high
    assert told.high - told.low > alone.high - alone.low
