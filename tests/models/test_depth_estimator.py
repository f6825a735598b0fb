"""Depth of photographs is an estimate, and says so."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pstgen.core.records import Unavailable
from pstgen.models import depth_estimator
from pstgen.questions.families import depth as family
from pstgen.scenes import pixels
from pstgen.scenes.truth import layout


@pytest.fixture(scope="module")
def glpn(tmp_path_factory):
    """A tiny random depth model in Hugging Face format."""
    from transformers import GLPNConfig, GLPNForDepthEstimation, GLPNImageProcessor

    folder = tmp_path_factory.mktemp("glpn")
    sizes = {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 2, 2]}
    GLPNForDepthEstimation(GLPNConfig(**sizes, decoder_hidden_size=8)).save_pretrained(folder)
    GLPNImageProcessor(size_divisor=32).save_pretrained(folder)
    return folder


def test_every_instance_gets_the_median_of_the_map_under_its_mask(scene, thing, glpn, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)).save(tmp_path / "photo.png")
    photo = scene(
        thing("cup", 0, within=(96, 96)), thing("dog", 60, within=(96, 96)), complete=False, width=96, height=96
    )
    photo = replace(photo, path=str(tmp_path / "photo.png"))
    estimate = depth_estimator.load(str(glpn))
    (estimated,) = depth_estimator.add_depth([photo], name=str(glpn), estimate=estimate, folder=tmp_path)
    depth = pixels.depth(estimated)
    assert estimated.depth_model == glpn.name
    for instance in estimated.instances:
        assert instance.depth == pytest.approx(np.median(depth[pixels.mask(instance, estimated)]) / 1000, abs=1e-3)


def test_an_estimate_needs_a_larger_difference_than_what_is_exact(thing):
    near, far = (replace(thing(kind, 0), depth=metres) for kind, metres in (("cup", 2.0), ("dog", 2.8)))
    assert layout.nearer(near, far).answer == "cup"
    assert not layout.nearer(near, far, estimated=True).known
    assert family.__doc__


def test_what_is_not_a_depth_model_is_refused_by_name(tmp_path):
    with pytest.raises(Unavailable, match=tmp_path.name):
        depth_estimator.load(str(tmp_path))
    with pytest.raises(Unavailable, match="no such depth model"):
        depth_estimator.load(str(tmp_path / "nowhere"))
