"""The probe: no better than chance where both twins are edited, and able to win where one is not."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pstgen.core import plugins
from pstgen.core.config import VerifyConfig, build_config
from pstgen.core.records import Item, origin
from pstgen.core.report import Refusals, Report
from pstgen.dataset import store
from pstgen.pairs.context import PairContext
from pstgen.questions.facts import known
from pstgen.questions.priors import count, counts
from pstgen.scenes import pixels
from pstgen.scenes.picture_features import picture
from pstgen.scenes.png import encode as png
from pstgen.scenes.sources import world as source
from pstgen.verification import probes
from pstgen.verification.checks import image_probe

CONFIG = build_config(source="world", prior_base="world", scenes=260, size=128)


@pytest.fixture(scope="module")
def scenes():
    return {scene.id: scene for scene in source.scenes(CONFIG, lambda _: True, Refusals())}


@pytest.fixture(scope="module")
def pairs(scenes, tmp_path_factory):
    """Both images of removed, recoloured and pasted things, the alphabetically first answer first."""
    facts = (fact for _, facts in known(scenes.values(), CONFIG, Report()) for fact in facts)
    context = PairContext(counts.fit(count(facts)), CONFIG, tmp_path_factory.mktemp("context"))
    makers = [plugins.load("twins", name).open(context) for name in ("remove", "recolour", "paste")]
    made = [pair for scene in scenes.values() for maker in makers for pair in maker.take(maker.look(scene, ()))]
    paths = {scene.id: scene.path for pair in made for scene in pair.scenes}
    twins = [sorted(pair.facts, key=lambda fact: str(fact.truth.answer)) for pair in made]
    return [(origin(a.scene_id), *(pixels.read(paths[fact.scene_id]) for fact in (a, b))) for a, b in twins]


def interval(pairs):
    names, first, second = zip(*pairs, strict=True)
    features = (np.stack([picture(image) for image in images]) for images in (first, second))
    scenes = [frozenset({name}) for name in names]
    correct = probes.told_apart(*features, scenes, classifier=image_probe.classifier, folds=5, seed=0)
    return binomtest(int(correct.sum()), len(correct)).proportion_ci(0.95)


def test_without_a_sham_the_probe_wins(pairs, scenes):
    """One twin edited, the other as the source has it."""
    assert interval([(name, edited, pixels.image(scenes[name])) for name, edited, _ in pairs]).low > 0.6


def test_with_the_sham_it_does_no_better_than_chance(pairs):
    assert len(pairs) > 150
    assert interval(pairs).low < 0.5


def test_noise_is_told_apart_at_chance():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (200, 2, 32, 32, 3), np.uint8)
    bounds = interval([(str(n), *pair) for n, pair in enumerate(images)])
    assert bounds.low < 0.5 < bounds.high


def matched(number, bright, seed=0):
    """Items of pairs of two scenes each with noise for features; `bright` names the role whose first feature stands out."""
    rng = np.random.default_rng(seed)
    for n in range(number):
        lure = str(rng.choice(["yes", "no"]))
        answers = {"control": lure, "stress": {"yes": "no", "no": "yes"}[lure]}
        for role, answer in answers.items():
            each = Item(
                item_id=f"{n}-{role}", pair_id=f"{n}", role=role, scene_id=f"s{n}{role}", image="", family="count",
                form="exactly", about=("cup",), frame="neutral", question="?", neutral="?", options=("no", "yes"),
                answer=answer, lure=lure,
            )  # fmt: skip
            features = rng.normal(size=5).astype(np.float32)
            features[0] += 3 * bright(role, answer)
            yield each, features


@pytest.mark.parametrize(
    ("bright", "attribute", "says"),
    [
        (lambda role, _: role == "stress", "role", "which is the stress twin"),
        (lambda _, answer: answer == "yes", "answer", 'which answers "yes"'),
    ],
)
def test_matched_twins_that_can_be_told_apart_are_found_by_family(bright, attribute, says):
    results = image_probe._matched(list(matched(150, bright)), VerifyConfig())
    assert {result.attribute: result.sound for result in results} == {
        "role": attribute != "role",
        "answer": attribute != "answer",
    }
    assert {(result.twins, result.family) for result in results} == {("matched", "count")}
    assert any(says in line for line in image_probe._summary(results))


def test_matched_twins_of_noise_are_sound():
    results = image_probe._matched(list(matched(150, lambda *_: False)), VerifyConfig())
    assert [result.sound for result in results] == [True, True]


def test_a_small_family_is_reported_and_not_held_against_its_bound():
    small = image_probe._matched(list(matched(40, lambda role, _: role == "stress")), VerifyConfig())
    assert [(result.attribute, result.sound) for result in small] == [("role", True), ("answer", True)]
    assert small[0].accuracy.share > 0.8
    assert list(image_probe._summary(small)) == []
    assert image_probe._matched(list(matched(10, lambda *_: True)), VerifyConfig()) == []


def test_a_mark_that_goes_with_the_answer_of_matched_twins_is_found_on_the_disk_apart_from_edited_ones(
    forge, monkeypatch
):
    monkeypatch.setattr(image_probe, "ENOUGH", 20)

    def leak(rows):
        for row in rows:
            if row["twin"] == "matched":
                image = pixels.decode(row["image"]["bytes"]).copy()
                image[:24, :24] = 255 if row["answer"] in {"yes", "left"} else 0
                row["image"]["bytes"] = png(np.ascontiguousarray(image[:, :, ::-1]))

    folder = forge(leak)
    finding = image_probe.examine(store.open(folder), VerifyConfig(folder=folder))
    assert finding.problems
    assert all("matched pairs of" in line for line in finding.problems)
    assert any(probe.twins == "edited" and probe.sound for probe in finding.probes)
