"""The probe: no better than chance where both twins are edited, and able to win where one is not."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pstgen.core import plugins
from pstgen.core.config import build_config
from pstgen.core.records import origin
from pstgen.core.report import Refusals, Report
from pstgen.pairs.context import PairContext
from pstgen.questions.facts import known
from pstgen.questions.priors import count, counts
from pstgen.scenes import pixels
from pstgen.scenes.sources import world as source
from pstgen.verification import probes
from pstgen.verification.checks import image_probe

CONFIG = build_config(source="world", scenes=260, size=128)


@pytest.fixture(scope="module")
def scenes():
    return {scene.id: scene for scene in source.scenes(CONFIG, lambda _: True, Refusals())}


@pytest.fixture(scope="module")
def pairs(scenes, tmp_path_factory):
    """Both images of removed, recoloured and pasted things, the alphabetically first answer first."""
    facts = (fact for _, facts in known(scenes.values(), CONFIG, Report()) for fact in facts)
    context = PairContext(counts.fit(count(facts)), CONFIG, tmp_path_factory.mktemp("context"))
    makers = [plugins.load("twins", name).open(context) for name in ("remove", "recolour", "paste")]
    made = [pair for scene in scenes.values() for maker in makers for pair in maker.pair(scene, ())]
    paths = {scene.id: scene.path for pair in made for scene in pair.scenes}
    twins = [sorted(pair.facts, key=lambda fact: str(fact.truth.answer)) for pair in made]
    return [(origin(a.scene_id), *(pixels.read(paths[fact.scene_id]) for fact in (a, b))) for a, b in twins]


def interval(pairs):
    names, first, second = zip(*pairs, strict=True)
    features = (np.stack([image_probe.features(image) for image in images]) for images in (first, second))
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
