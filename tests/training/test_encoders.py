"""Image encoders of stage 1: ours, and any that Transformers loads."""

from collections import Counter

import numpy as np
import pytest
import torch
import transformers

from pstgen.core.records import BadInput, Unavailable
from pstgen.models import tools
from pstgen.models.detector import Found
from pstgen.models.tools import EncoderDetector, encoder_pixels
from pstgen.scenes import pixels
from pstgen.scenes.truth.colour import NAMES
from pstgen.scenes.vocabulary import plural, spoken
from pstgen.training import modeling, stages
from pstgen.training.systems import Plan

SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
SEEING = Plan(pretraining="perception")
GREY = np.full((64, 64, 3), 128, np.uint8)


def clip():
    return transformers.CLIPVisionModel(transformers.CLIPVisionConfig(image_size=64, patch_size=16, **SHAPE))


def siglip():
    return transformers.SiglipVisionModel(transformers.SiglipVisionConfig(image_size=64, patch_size=16, **SHAPE))


def whole_clip():
    text = {**SHAPE, "vocab_size": 99, "projection_dim": 32}
    vision = {**SHAPE, "image_size": 64, "patch_size": 16}
    return transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=32))


def dino():
    return transformers.Dinov2WithRegistersModel(
        transformers.Dinov2WithRegistersConfig(
            hidden_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=64, patch_size=16
        )
    )


@pytest.mark.parametrize(("encoder", "kind", "cells"), [("resnet50", "ResNetModel", 2), ("vit-b16", "ViTModel", 4)])
def test_an_encoder_of_a_known_size_learns_and_loads_in_transformers(trained, small, encoder, kind, cells):
    """One step; the whole encoder is in the folder, its heads beside it, and a detector reads both."""
    out, figures = trained("encoder", SEEING, small(encoder=encoder, batch=2, keep_every=500), 1)
    assert {"contrast", "dense", "loss"} == set(figures[0])
    assert np.isfinite(figures[0]["loss"])
    model, info = transformers.AutoModel.from_pretrained(out, output_loading_info=True)
    assert type(model).__name__ == kind
    assert not any(name for name in info["missing_keys"] if not name.startswith("pooler."))
    assert not info["unexpected_keys"]
    features = modeling.encoder_features(model, torch.zeros(1, 3, 64, 64), cells)
    assert features.shape == (1, cells**2, modeling.feature_width(model))
    if encoder == "resnet50":
        backbone = transformers.MODEL_FOR_BACKBONE_MAPPING[type(model.config)].from_pretrained(out)
        assert torch.allclose(
            backbone.eval()(torch.zeros(1, 3, 64, 64)).feature_maps[-1],
            model.eval()(torch.zeros(1, 3, 64, 64)).last_hidden_state,
            atol=1e-4,
        )
    assert tools.open_tools(str(out))([GREY])[0].startswith("Seen: ")


@pytest.mark.parametrize("make", [clip, siglip, whole_clip, dino])
def test_an_encoder_in_a_folder_is_begun_with(trained, small, tmp_path, make):
    """With a class token or without one, with registers, or the half of a whole CLIP that sees."""
    torch.manual_seed(7)
    other = make()
    other.save_pretrained(tmp_path / "other")
    recipe = small(encoder=str(tmp_path / "other"), encoder_rate=0.0)  # what is saved is what was loaded
    out, figures = trained("encoder", SEEING, recipe, 1)
    assert np.isfinite(figures[0]["loss"])
    model, info = transformers.AutoModel.from_pretrained(out, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        states = getattr(other, "vision_model", other).eval()(pixel_values=image).last_hidden_state
        assert torch.allclose(model.eval()(pixel_values=image).last_hidden_state, states, atol=1e-5)


def test_an_encoder_gets_pixels_as_the_processor_in_its_folder_makes_them(task, small, examples, tmp_path):
    """And so does the detector that it becomes; without such a processor they are in -1 to 1."""
    clip().save_pretrained(tmp_path / "clip")
    recipe = small(encoder=str(tmp_path / "clip"))
    default = stages.prepare(task("encoder", SEEING)).batches
    images = [np.array(pixels.read(examples[n].scene.path)) for n in default.numbers(0)]
    assert torch.equal(
        stages.prepare(task("encoder", SEEING, recipe)).batches[0]["pixel_values"], default[0]["pixel_values"]
    )
    processor = transformers.CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    processor.save_pretrained(tmp_path / "clip")
    one_step = task("encoder", SEEING, recipe, 1)
    batch = stages.prepare(one_step).batches[0]["pixel_values"]
    expected = torch.as_tensor(processor(images, return_tensors="pt")["pixel_values"])
    assert torch.allclose(batch, expected, atol=1e-5)
    stages.train(one_step, lambda *_: None)
    settings = EncoderDetector(one_step.out).settings
    own = encoder_pixels(images, settings["size"], settings["mean"], settings["std"])
    assert torch.allclose(torch.from_numpy(own), expected, atol=1e-5)


@pytest.mark.parametrize("encoder", ["tiny", "vit-b16", "resnet50"])
def test_a_size_that_is_not_a_multiple_of_the_patch_is_refused(task, small, encoder):
    with pytest.raises(BadInput, match=r"size is 70.*(16|32)"):
        stages.prepare(task("encoder", SEEING, small(encoder=encoder, size=70)))


@pytest.mark.parametrize("stage", ["encoder", "joint"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 72}, "size is 72; .*16"),
        ({"vision": {}}, "vision is empty"),
        ({"vision": {"hiden_size": 32}}, "vision: no setting 'hiden_size'.*hidden_size"),
        ({"vision": {"image_size": 64}}, "vision: no setting 'image_size'"),
    ],
)
def test_a_small_encoder_that_cannot_be_made_is_refused(task, small, stage, changes, message):
    with pytest.raises(BadInput, match=message):
        stages.prepare(task(stage, SEEING, small(**changes)))


@pytest.mark.parametrize(
    ("text", "message"), [({}, "text is empty"), ({**SHAPE, "num_key_value_head": 2}, "text: .*num_key_value_heads")]
)
def test_a_small_language_model_that_cannot_be_made_is_refused(task, small, text, message):
    """Left to itself it would have seven billion weights."""
    with pytest.raises(BadInput, match=message):
        stages.prepare(task("joint", Plan(), small(text=text)))


def test_a_small_encoder_has_a_default_patch(small):
    vision = {name: value for name, value in small().vision.items() if name != "patch_size"}
    assert (
        modeling.grid_side(modeling.load_encoder(small(vision=vision), 0), 64)
        == 64 // transformers.CLIPVisionConfig().patch_size
    )


def test_a_vit_that_stage_one_saved_is_begun_with(small, tmp_path):
    config = transformers.ViTConfig(image_size=64, patch_size=16, **SHAPE)
    transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(tmp_path / "vit")
    modeling.load_encoder(small(encoder=str(tmp_path / "vit")), 0)


def test_an_encoder_of_another_image_size_is_refused(small, task, tmp_path):
    vision = transformers.CLIPVisionConfig(image_size=96, patch_size=16, **SHAPE)
    transformers.CLIPVisionModel(vision).save_pretrained(tmp_path / "large")
    with pytest.raises((BadInput, Unavailable)):
        stages.train(task("encoder", SEEING, small(encoder=str(tmp_path / "large"))), lambda *_: None)


@pytest.mark.parametrize("holds", ["nothing", "text", "a broken file", "another's weights"])
def test_a_folder_without_an_encoder_is_refused(small, tmp_path, holds):
    folder = tmp_path / "folder"
    folder.mkdir()
    if holds == "text":
        (folder / "config.json").write_text("no json")
    elif holds != "nothing":
        clip().save_pretrained(folder)
        if holds == "a broken file":
            (folder / "model.safetensors").write_bytes(b"broken")
        else:
            siglip().save_pretrained(tmp_path / "other")
            (tmp_path / "other" / "model.safetensors").replace(folder / "model.safetensors")
    with pytest.raises(Unavailable, match=str(folder)):
        modeling.load_encoder(small(encoder=str(folder)), 0)


def test_a_seed_decides_the_weights(small):
    one, again, other = (modeling.load_encoder(small(), seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_the_codes_of_places_are_in_the_encoder_of_either_stage(small, paths):
    """A linear map reads column and row from what is added, and only the position embeddings differ."""
    tokenizer = modeling.load_tokenizer(paths.tokenizer)
    for load in (modeling.load_encoder, lambda recipe, seed: modeling.load_vlm(recipe, tokenizer, seed).model):
        plain, coded = (load(small(position_codes=strength), 0).state_dict() for strength in (0.0, 0.5))
        (moved,) = (name for name in plain if not torch.equal(plain[name], coded[name]))
        added = (coded[moved] - plain[moved])[1:]
        assert moved.endswith("position_embedding.weight")
        assert not (coded[moved] - plain[moved])[0].any()
        grid = int(len(added) ** 0.5)
        places = torch.arange(grid).float()
        target = torch.stack(torch.meshgrid(places, places, indexing="ij")).reshape(2, -1).T
        known = torch.cat([added, torch.ones(len(added), 1)], dim=1)
        read = known @ torch.linalg.lstsq(known, target, driver="gelsd").solution
        assert torch.allclose(read, target, atol=0.2)


# ---------------------------------------------------------------------------------------------------------- detector


@pytest.fixture(scope="module")
def by_heart(paths, small, tmp_path_factory):
    """An encoder and its heads that learnt a dozen scenes by heart."""
    recipe, out = small(keep_every=500, learning_rate=3e-3, batch=6), tmp_path_factory.mktemp("heart") / "encoder"
    task = stages.Task(recipe, SEEING, paths.examples, paths.tokenizer, out, "encoder", 0, 250)
    stages.train(task, lambda *_: None)
    return out


def test_a_detector_names_what_it_learnt_to_see(by_heart, examples):
    """The names of things and how many, as text; of a grey image it names less."""
    describe = tools.open_tools(str(by_heart))
    scenes = [example.scene for example in examples]
    right = total = 0
    for scene, text in zip(scenes, describe([pixels.read(scene.path) for scene in scenes]), strict=True):
        assert text.startswith("Seen: ")
        assert text.endswith(".")
        kinds = Counter(thing.category for thing in scene.instances)
        right += sum(spoken(kind) in text or plural(spoken(kind)) in text for kind in kinds)
        total += len(kinds)
    assert right > 0.7 * total
    assert describe([None, GREY, None])[::2] == ["", ""]
    assert describe([]) == []


def test_a_detector_finds_things_about_where_they_are(by_heart, examples):
    scenes = [example.scene for example in examples]
    near = []
    for scene, found in zip(scenes, EncoderDetector(by_heart).find([pixels.read(s.path) for s in scenes]), strict=True):
        for kind, (x, y, across, down), _ in found:
            middles = [
                ((t.region.x + t.region.width / 2) / scene.width, (t.region.y + t.region.height / 2) / scene.height)
                for t in scene.instances
                if t.category == kind
            ]
            near.append(any(x - 0.1 <= a <= x + across + 0.1 and y - 0.1 <= b <= y + down + 0.1 for a, b in middles))
    assert len(near) > 10
    assert np.mean(near) > 0.7


def test_a_detector_counts_centres_and_names_the_commonest_colour(by_heart):
    """On a grid of 4 x 4: two dogs at the left of the two upper rows, a car along the third."""
    detector = EncoderDetector(by_heart)
    kinds, colours, centres = np.zeros((3, 16), np.int64)
    dog, car = (1 + detector.settings["categories"].index(name) for name in ("dog", "car"))
    centres[[0, 5]], kinds[[0, 1, 5]] = dog, dog
    centres[9], kinds[[9, 10, 11]] = car, car
    colours[[9, 10, 11]] = [2, 3, 3]
    found = detector._objects(kinds, colours, centres)
    dogs = Found("dog", (0.0, 0.0, 0.5, 0.5))
    assert sorted(found) == [Found("car", (0.25, 0.5, 0.75, 0.25), NAMES[2]), dogs, dogs]
    assert set(tools.describe_found(found).removeprefix("Seen: ").rstrip(".").split(", ")) == {
        "2 dogs",
        f"1 {NAMES[2]} car",
    }
    assert detector._objects(kinds, colours, 0 * centres) == []


def test_a_detector_knows_its_grid_and_its_names(by_heart, examples):
    settings = EncoderDetector(by_heart).settings
    assert settings["categories"] == list(examples[0].scene.categories)
    assert (settings["cells"], settings["size"]) == (4, 64)
