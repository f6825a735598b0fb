"""The probe: no better than chance where both twins are edited, and able to win where one is not."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pstgen.core import plugins
from pstgen.core.config import BuildConfig
from pstgen.core.records import Refusals, Report, origin
from pstgen.pairs.context import Studio
from pstgen.questions.facts import known
from pstgen.questions.priors import count, counts
from pstgen.scenes import pixels
from pstgen.scenes.sources import world as source
from pstgen.verification import probes
from pstgen.verification.checks import image_probe

CONFIG = BuildConfig(source="world", scenes=260, size=128)


@pytest.fixture(scope="module")
def scenes():
    return {scene.id: scene for scene in source.scenes(CONFIG, lambda _: True, Refusals())}


@pytest.fixture(scope="module")
def pairs(scenes, tmp_path_factory):
    """Both images of removed, recoloured and pasted things, the alphabetically first answer first."""
    facts = (fact for _, facts in known(scenes.values(), CONFIG, Report()) for fact in facts)
    studio = Studio(counts.fit(count(facts)), CONFIG, tmp_path_factory.mktemp("studio"))
    makers = [plugins.load("twins", name).open(studio) for name in ("remove", "recolour", "paste")]
    made = [pair for scene in scenes.values() for maker in makers for pair in maker.pair(scene, ())]
    paths = {scene.id: scene.path for pair in made for scene in pair.scenes}
    told = [sorted(pair.facts, key=lambda fact: str(fact.truth.answer)) for pair in made]
    return [(origin(a.scene_id), *(pixels.read(paths[fact.scene_id]) for fact in (a, b))) for a, b in told]


def interval(pairs):
    names, first, second = zip(*pairs, strict=True)
    looks = (np.stack([image_probe.look(image) for image in some]) for some in (first, second))
    scenes = [frozenset({name}) for name in names]
    right = probes.apart(*looks, scenes, model=image_probe.probe, folds=5, seed=0)
    return binomtest(int(right.sum()), len(right)).proportion_ci(0.95)


def test_without_a_sham_the_probe_wins(pairs, scenes):
    """One twin edited, the other as the source has it."""
    assert interval([(name, edited, pixels.image(scenes[name])) for name, edited, _ in pairs]).low > 0.6


def test_with_the_sham_it_does_no_better_than_chance(pairs):
    assert len(pairs) > 150
    assert interval(pairs).low < 0.5


def test_noise_is_told_at_chance():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (200, 2, 32, 32, 3), np.uint8)
    told = interval([(str(n), *pair) for n, pair in enumerate(images)])
    assert told.low < 0.5 < told.high
