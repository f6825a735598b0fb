"""The additive attacker finds that the odder picture is the stress twin, and nothing that words and picture tell together."""

import numpy as np
import pytest

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Item
from pstgen.dataset import store
from pstgen.scenes import pixels
from pstgen.scenes.png import encode as png
from pstgen.verification.checks import additive
from pstgen.verification.probes import PairFeatures

CONFIG = VerifyConfig()
FEATURES = 6


def item(n, role, scene, family, lure, thing):
    answer = lure if role == "control" else {"yes": "no", "no": "yes"}[lure]
    return Item(
        item_id=f"{n}-{role}", pair_id=f"{n}", role=role, scene_id=scene, image="", family=family, form="is",
        about=(thing,), frame="neutral", question="?", neutral="?", options=("no", "yes"), answer=answer, lure=lure,
    )  # fmt: skip


def noise(number, lean, family="count", seed=0):
    """Pairs of noise of 400 scenes that are tied together; `lean(lure, thing)` names the twin whose picture is brighter, if any."""
    rng = np.random.default_rng(seed)
    pairs = []
    for n in range(number):
        a, b = rng.choice(400, 2, replace=False)
        lure, thing = str(rng.choice(["yes", "no"])), str(rng.choice(["cup", "dog"]))
        stress, control = rng.normal(size=(2, FEATURES)).astype(np.float32)
        brighter = {"stress": stress, "control": control}.get(lean(lure, thing))
        if brighter is not None:
            brighter[0] += 3
        twins = (item(n, role, f"s{k}", family, lure, thing) for role, k in (("stress", a), ("control", b)))
        pairs.append(PairFeatures(*twins, (stress, control)))
    return pairs


def test_a_set_whose_odder_picture_is_always_the_stress_twin_is_not_sound_and_its_family_is_named():
    leaky, clean = noise(220, lambda *_: "stress"), noise(220, lambda *_: "", "colour", seed=1)
    finding = additive.find([*leaky, *clean], CONFIG)
    assert finding.state == "not sound"
    (problem,) = finding.problems
    assert problem.startswith("count: words and picture, never related, tell the stress twin in ")
    assert {probe.family: probe.sound for probe in finding.probes} == {"count": False, "colour": True}
    assert 0.6 < finding.figures["order"] < 0.9  # of both families


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_sound_with_a_coin_inside_its_interval(seed):
    finding = additive.find(noise(300, lambda *_: "", seed=seed), CONFIG)
    assert finding.state == "sound"
    (probe,) = finding.probes
    assert probe.accuracy.low < 0.5 < probe.accuracy.high
    assert probe.accuracy.total > 250  # six halvings test nearly every pair


def test_a_picture_that_goes_with_the_lure_is_found_in_both_directions():
    """The picture that answers "yes" is the brighter one: of half of the pairs it is the stress twin's, of half the control's."""
    (probe,) = additive.find(noise(300, lambda lure, _: "stress" if lure == "no" else "control"), CONFIG).probes
    assert probe.accuracy.low > 0.7


def test_what_only_the_words_and_the_picture_together_tell_is_not_found():
    """Cups are brighter in stress twins, dogs in control twins: who does not relate the two sees a coin."""
    (probe,) = additive.find(noise(300, lambda _, thing: "stress" if thing == "cup" else "control"), CONFIG).probes
    assert probe.accuracy.low < 0.5 < probe.accuracy.high


def test_no_bound_is_judged_of_a_family_with_few_pairs_and_its_figure_is_reported():
    finding = additive.find(noise(60, lambda *_: "stress"), CONFIG)
    assert finding.state == "not tested"
    assert "no family has 100 that could be tested, the most are" in finding.untested
    (probe,) = finding.probes
    assert probe.sound
    assert probe.accuracy.share > 0.8


def test_where_nothing_can_be_tested_it_is_said():
    assert additive.find([], CONFIG).untested.endswith("none has 20")
    assert additive.find(noise(8, lambda *_: "stress"), CONFIG).probes == ()


def test_the_same_seed_gives_the_same_order_and_a_pair_that_no_halving_tests_has_none():
    pairs = noise(120, lambda *_: "stress")
    first, second = (additive.in_order(pairs, 3) for _ in range(2))
    assert np.array_equal(first, second, equal_nan=True)
    assert ((first >= 0) & (first <= 1) | np.isnan(first)).all()
    assert np.isnan(additive.in_order(pairs[:1], 3)).all()


def test_more_lures_than_a_tree_can_tell_apart_share_one_number():
    pairs = noise(150, lambda *_: "stress")
    many = [
        PairFeatures(*(item(n, role, f"s{n}{role}", f"f{n}", "yes", "cup") for role in ("stress", "control")), p.features)
        for n, p in enumerate(pairs)
    ]  # fmt: skip
    order = additive.in_order(many, 0)
    assert np.nanmean(order) > 0.9


def test_stress_twins_that_are_darker_are_found_in_a_set_on_the_disk(forge, monkeypatch):
    monkeypatch.setattr(additive, "ENOUGH", 15)

    def leak(rows):
        for row in rows:
            image = pixels.decode(row["image"]["bytes"])
            image = image // 2 if row["role"] == "stress" else image
            row["image"]["bytes"] = png(np.ascontiguousarray(image[:, :, ::-1]))

    folder = forge(leak)
    finding = additive.examine(store.open(folder), VerifyConfig(folder=folder))
    assert finding.state == "not sound"
    assert all(probe.accuracy.share > 0.8 for probe in finding.probes)
