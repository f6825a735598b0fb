"""Weather: the same for a seed, another for another strength."""

import cv2
import numpy as np
import pytest

from pstgen.core.records import Unavailable
from pstgen.evaluation import corruptions


@pytest.fixture(scope="module")
def photo():
    smooth = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 255, (64, 80, 3)).astype(np.uint8), (0, 0), 3)
    return cv2.normalize(smooth, None, 20, 235, cv2.NORM_MINMAX)


@pytest.mark.parametrize("kind", corruptions.KINDS)
def test_each_corruption_is_the_same_for_a_seed_and_grows_with_its_strength(photo, kind):
    before = photo.copy()
    drawn = [corruptions.corrupt(photo, kind, strength, 7) for strength in corruptions.STRENGTHS]
    again = [corruptions.corrupt(photo, kind, strength, 7) for strength in reversed(corruptions.STRENGTHS)][::-1]
    changes = [np.abs(one.astype(int) - photo).mean() for one in drawn]
    assert all(one.shape == photo.shape and one.dtype == np.uint8 for one in drawn)
    assert all((one == other).all() for one, other in zip(drawn, again, strict=True))
    assert (photo == before).all()
    assert 0 < changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("kind", ["rain", "fog", "sun_flare", "noise"])
def test_what_falls_by_chance_falls_elsewhere_by_another_seed(photo, kind):
    assert (corruptions.corrupt(photo, kind, 2, 1) != corruptions.corrupt(photo, kind, 2, 2)).any()


def test_an_argument_that_albumentations_does_not_know_is_no_warning_but_an_error(photo, monkeypatch):
    corruptions._transform.cache_clear()
    monkeypatch.setattr(corruptions, "_arguments", lambda *_: ("GaussNoise", {"variance": 3}))
    with pytest.raises(Unavailable, match="variance"):
        corruptions.corrupt(photo, "noise", 1, 1)
