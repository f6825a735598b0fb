"""What looks odd tells nothing: pairs are evened out, family by family, where pictures alone tell the twins apart."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pstgen.core.records import Item, Pair, Scene
from pstgen.pairs import balance

N = 260


def item(pair, role, scene, **more):
    fields = {
        "item_id": f"{pair}-{'a' if role == 'stress' else 'b'}",
        "pair_id": pair,
        "role": role,
        "scene_id": scene,
        "image": "",
        "family": "colour",
        "form": "of",
        "about": ("cup",),
        "frame": "neutral",
        "question": "What colour is the cup?",
        "neutral": "What colour is the cup?",
        "options": ("red", "blue"),
        "answer": "red" if role == "stress" else "blue",
        "lure": "blue",
    }
    return Item(**fields | more)


@pytest.fixture
def shown(tmp_path):
    """(pairs, scenes): makes N pairs whose stress twins are so much brighter, on average, than their control twins."""

    def make(brighter, **more):
        draws, pairs, gallery = np.random.default_rng(0), [], {}
        for n in range(N):
            names = [f"world/{2 * n}", f"world/{2 * n + 1}"]
            for name, mean in zip(names, (128 + brighter, 128), strict=True):
                pixels = np.clip(draws.normal(mean + draws.normal(0, 30), 8, (16, 16, 3)), 0, 255).astype(np.uint8)
                path = tmp_path / f"{name[6:]}.png"
                Image.fromarray(pixels).save(path)
                gallery[name] = Scene(
                    id=name, source="world", path=str(path), width=16, height=16, categories=("cup",), instances=()
                )
            twins = [
                item(f"p{n:04}", role, name, **more) for role, name in zip(("stress", "control"), names, strict=True)
            ]
            pairs.append(Pair((twins[0],), twins[1]))
        return pairs, gallery

    return make


def share(pairs, gallery):
    """How often a classifier of pictures is right, and how often wrong."""
    look = balance._look(pairs, gallery, 1)
    lead = balance.leads([(pair.stress[0], pair.control) for pair in pairs], look, balance._linear)
    return float(np.mean(lead[lead != 0] > 0))


def couples_right(groups, gallery):
    """The same, of every stress twin beside its control twin."""
    return share([Pair((stress,), group.control) for group in groups for stress in group.stress], gallery)


def test_where_stress_twins_look_different_as_many_stay_that_mislead_the_eye(shown):
    pairs, gallery = shown(25)
    dropped = Counter()
    kept = balance.even(pairs, gallery, dropped=dropped)
    assert share(pairs, gallery) > 0.6
    assert share(kept, gallery) < 0.56
    assert len(kept) > 0.4 * N
    assert dropped == {("colour", balance.REASON): N - len(kept)}
    assert kept == [pair for pair in pairs if pair in kept]


def test_a_group_is_evened_by_all_of_its_stress_twins(shown):
    """Each but the first is brighter than the control twin."""
    pairs, gallery = shown(25)
    groups = [
        Pair((item(pair.pair_id, "stress", other.control.scene_id), pair.stress[0], other.stress[0]), pair.control)
        for pair, other in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    kept = balance.even(groups, gallery)
    assert 0.3 * len(groups) < len(kept) < 0.95 * len(groups)
    assert couples_right(groups, gallery) > 0.58
    assert couples_right(kept, gallery) < 0.54


def test_where_pictures_tell_nothing_every_pair_stays(shown):
    pairs, gallery = shown(0)
    assert balance.even(pairs, gallery) == pairs


def test_a_family_too_small_to_learn_from_stays_as_it_is(shown):
    pairs, _ = shown(60)
    few = pairs[: balance.ENOUGH - 1]
    assert balance.even(few, {}) == few


def test_of_yes_and_no_it_is_evened_too_which_twin_answers_yes(shown):
    """Half of the lures are "yes", so that brightness tells the answer and not the role."""
    pairs, gallery = shown(25, options=("yes", "no"), answer="yes")
    turned = []
    for n, pair in enumerate(pairs):
        bright, dark = pair.stress[0], pair.control
        if n % 2:  # the dark twin is the stress twin
            bright, dark = (
                item(bright.pair_id, "control", bright.scene_id, options=("yes", "no"), answer="yes", lure="yes"),
                item(bright.pair_id, "stress", dark.scene_id, options=("yes", "no"), answer="no", lure="yes"),
            )
            turned.append(Pair((dark,), bright))
        else:
            dark = item(dark.pair_id, "control", dark.scene_id, options=("yes", "no"), answer="no", lure="no")
            turned.append(Pair((bright,), dark))
    kept = balance.even(turned, gallery)
    assert 0.3 * N < len(kept) < 0.95 * N
    twins = [twins for pair in kept for twins in balance._ordered(pair, "answer")]
    assert all(first.answer == "yes" for first, _ in twins)
    lead = balance.leads(twins, balance._look(kept, gallery, 1), balance._linear)
    assert float(np.mean(lead[lead != 0] > 0)) < 0.57


@given(st.lists(st.frozensets(st.sampled_from("abcdefghij"), min_size=1, max_size=2), max_size=40), st.text(max_size=3))
def test_halves_share_no_scene(scenes, salt):
    first, second = (set().union(*(scenes[n] for n in half)) for half in balance.halves_of(scenes, salt))
    assert first.isdisjoint(second)
