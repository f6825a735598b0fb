"""Stage 2 of a LLaVA of the user's own: the layer that it reads, what it sees of a photograph, its tokens, its seeds."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import transformers
from torch.nn import functional

from pstgen.core.records import Keypoint
from pstgen.models.huggingface import Model
from pstgen.training import grid_targets, joint_stage, modeling, stages
from pstgen.training.batches import PackedBatches, StepPlan, TargetBuilder
from pstgen.training.grid_targets import Window
from pstgen.training.systems import Plan

PEFT = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
REWARD = Plan(reward=True)
CELLS, SIDE = 4, 32
LAYERS = [-2, -1, [-2, -1]]


@pytest.fixture(scope="module")
def llava(tmp_path_factory):
    """Build a tiny LLaVA by what tests/tiny_llava.py takes; once each."""
    spec = importlib.util.spec_from_file_location("tiny_llava", Path(__file__).parents[1] / "tiny_llava.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folders = {}

    def build(**settings):
        key = str(settings)
        if key not in folders:
            folders[key] = module.build(tmp_path_factory.mktemp("llava") / "model", **settings)
        return folders[key]

    return build


@pytest.fixture
def own(llava, small):
    """A loaded model as stage 2 gets it."""
    return lambda **settings: modeling.load_vlm(small(model=str(llava(**settings)), size=SIDE), None, 0)


@pytest.fixture
def joint(task, small):
    """Stage 2 of a model in a folder; there is no tokenizer of ours."""
    return lambda folder, **changes: task(
        "joint", REWARD, small(model=str(folder), size=SIDE, **changes), tokenizer=Path("/nowhere")
    )


# ------------------------------------------------------------------------------------------------- what the reward reads


@pytest.mark.parametrize("layer", LAYERS)
def test_heads_read_what_the_connector_reads(own, layer):
    vlm, read = own(layer=layer), []
    vlm.model.model.multi_modal_projector.register_forward_pre_hook(lambda _, given: read.append(given[0]))
    pixels = torch.randn(2, 3, SIDE, SIDE)
    features, projected, _ = modeling.encode_images(vlm.model, {"pixel_values": pixels}, CELLS)
    assert torch.equal(features, read[0])
    assert features.shape == (2, CELLS**2, vlm.width)
    assert projected.shape[:2] == (2, CELLS**2)


@pytest.mark.parametrize("layer", LAYERS)
def test_the_ratio_is_logged_at_the_layer_that_both_losses_reach(joint, llava, layer):
    stage = stages.prepare(joint(llava(layer=layer)))
    assert stage.losses(stage.model, stage.batches[0], 0)["ratio"] > 0


@pytest.mark.parametrize("layer", LAYERS)
def test_the_saved_model_answers_as_the_trained_one_did(joint, llava, monkeypatch, layer):
    task, real, kept = joint(llava(layer=layer)), joint_stage.export, []

    def logits(model, processor):
        image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        inputs = processor(images=[image], text=["USER: <image>\nIs there a dog? ASSISTANT:"], return_tensors="pt")
        with torch.inference_mode():
            return type(model).forward(model.eval(), **inputs).logits  # the trainer's own is in bfloat16

    def export(model, processor, out):
        kept.append(logits(model, processor))
        real(model, processor, out)

    monkeypatch.setattr(joint_stage, "export", export)
    stages.train(task, lambda *_: None)
    saved = transformers.AutoModelForImageTextToText.from_pretrained(task.out)
    assert saved.config.vision_feature_layer == layer
    assert torch.allclose(logits(saved, transformers.AutoProcessor.from_pretrained(task.out)), kept[0], atol=1e-4)
    initial = transformers.AutoModelForImageTextToText.from_pretrained(llava(layer=layer))
    assert not torch.allclose(logits(initial, transformers.AutoProcessor.from_pretrained(task.out)), kept[0], atol=1e-3)


@pytest.mark.parametrize("layer", [-2, -1])
def test_heads_of_stage_one_go_on_where_they_read_the_layer_that_they_learnt_from(trained, joint, llava, small, layer):
    folder = llava(layer=layer)
    vision = transformers.AutoConfig.from_pretrained(folder).vision_config
    shape = {name: getattr(vision, name) for name in (*small().vision, "projection_dim")}
    first, _ = trained("encoder", Plan(pretraining="perception"), small(vision=shape, size=SIDE), 1)
    with_heads = stages.prepare(replace(joint(folder), plan=Plan(pretraining="perception", reward=True), encoder=first))
    fresh = stages.prepare(joint(folder))
    same = torch.equal(with_heads.model.perception.dense.weight, fresh.model.perception.dense.weight)
    assert same == (layer == -2)


# ------------------------------------------------------------------------------------------------------ what it sees


@pytest.mark.parametrize(
    ("width", "height"), [(640, 480), (480, 640), (500, 375), (64, 64), (32, 32), (8, 12), (1200, 300)]
)
def test_of_a_photograph_the_middle_is_seen(own, width, height):
    """By hand: the shorter side is made SIDE pixels, the longer one whole pixels, and the middle is cut out."""
    longer, shorter = max(width, height), min(width, height)
    small = int(SIDE * longer / shorter)
    first, last = (longer * edge / small for edge in ((small - SIDE) // 2, (small - SIDE) // 2 + SIDE))
    seen = (first, 0, last, height) if width > height else (0, first, width, last)
    assert own().window(width, height) == pytest.approx(seen, abs=1)


@pytest.mark.parametrize(("width", "height"), [(128, 128), (64, 64), (60, 90), (17, 300), (640, 480)])
def test_a_small_model_sees_all_of_every_image(vlm, width, height):
    assert vlm.window(width, height) == (0, 0, width, height)


def test_a_small_model_sees_all_of_a_large_image_too(vlm):
    assert vlm.window(1000, 3000) == (0, 0, 1000, 3000)


def test_where_the_processor_pads_there_is_nothing(own):
    vlm = own()
    eyes = vlm.processor.image_processor
    eyes.do_resize = False  # 20 x 20 pixels in the middle of 32 x 32
    window = vlm.window(20, 20)
    assert window == (-6, -6, 26, 26)


@pytest.fixture
def photograph(scene, thing, tmp_path):
    """96 x 64 pixels, of which the middle 64 x 64 are seen: a red dog, half of a blue chair, a cup outside; and depth."""
    wide = {"within": (96, 64)}
    image = np.full((64, 96, 3), 255, np.uint8)
    image[32:48, 48:64] = (255, 0, 0)
    image[0:16, 8:24] = (0, 0, 255)
    image[20:30, 0:12] = (0, 255, 0)
    joints = tuple(Keypoint(name=f"{n}", x=x, y=40, visibility=v) for n, (x, v) in enumerate([(70, 2), (90, 2)]))
    joints += tuple(Keypoint(name=f"{n}", x=0, y=0, visibility=1) for n in range(2, 17))
    millimetres = np.tile(np.repeat(np.arange(1, 7, dtype=np.uint16) * 1000, 16), (64, 1))
    cv2.imwrite(str(tmp_path / "photo.png"), image[..., ::-1])
    cv2.imwrite(str(tmp_path / "depth.png"), millimetres)
    things = (
        thing("dog", 48, 32, 16, 16, **wide),
        thing("chair", 8, 0, 16, 16, **wide),
        thing("cup", 0, 20, 12, 10, **wide),
        thing("person", 66, 36, 28, 12, keypoints=joints, **wide),
    )
    files = {"path": str(tmp_path / "photo.png"), "depth_path": str(tmp_path / "depth.png")}
    return replace(scene(*things), width=96, height=64, **files)


@pytest.fixture
def targets(photograph, own):
    return grid_targets.from_scene(photograph, CELLS, photograph.categories, own().window(96, 64))


def test_what_is_outside_the_crop_is_not_a_target(photograph, targets):
    cup = photograph.categories.index("cup")
    assert cup not in targets.codes[:, 0]
    assert not ({1 + cup} & set(targets.labels[:, 0]))
    assert not ({1 + cup} & set(targets.centres))
    assert (targets.coverage.sum(1) > 0).all()


@pytest.mark.parametrize(("kind", "channels"), [("dog", (1, 2)), ("chair", (0, 1))])
def test_a_thing_is_in_the_patches_where_the_processed_pixels_show_it(photograph, targets, own, kind, channels):
    shown = own().image_inputs([cv2.imread(photograph.path)[..., ::-1]])["pixel_values"][0]
    dark = (shown[list(channels)] < 0).all(0) & (shown[3 - sum(channels)] > 0)
    cells = functional.adaptive_avg_pool2d(dark[None].float(), CELLS).flatten() > grid_targets.COVERED
    code = photograph.categories.index(kind)
    assert cells.any()
    assert np.array_equal(targets.labels[:, 0] == 1 + code, cells.numpy())
    region = targets.coverage[targets.codes[:, 0] == code][0]
    assert np.array_equal(region > grid_targets.COVERED, cells.numpy())
    assert targets.centres[cells.numpy()].tolist() == [1 + code]


def test_a_thing_that_the_crop_cuts_is_as_large_as_what_is_seen_of_it(photograph, own):
    cut = grid_targets.crop(photograph, own().window(96, 64))
    assert (cut.width, cut.height) == (64, 64)
    chair = next(thing for thing in cut.instances if thing.category == "chair")
    assert (chair.region.x, chair.region.width, chair.area) == (0, 8, 128)


def test_joints_and_depth_are_where_they_are_seen(targets):
    assert np.argwhere(targets.joints == 1).tolist() == [[2 * 4 + 3, 0]]
    assert not targets.joints[:, 1].any()  # it is outside, where it is known to be
    assert np.allclose(np.exp(targets.depth.reshape(CELLS, CELLS)), [[2, 3, 4, 5]] * 4)


def test_where_the_window_is_past_the_image_depth_is_unknown(photograph):
    window = Window(-32, -32, 96, 96)
    depth = grid_targets.from_scene(photograph, CELLS, photograph.categories, window).depth.reshape(CELLS, CELLS)
    assert np.isnan(depth[[0, 3]]).all()
    assert np.isnan(depth[:, 0]).all()
    assert np.allclose(np.exp(depth[1:3, 1:]), [[2, 4, 6]] * 2)  # in the middle of patches of 32 pixels


def test_targets_of_stage_two_lie_on_what_is_seen(joint, llava, examples):
    targets = stages.prepare(joint(llava())).batches.targets
    assert targets.window(96, 64) == (16, 0, 80, 64)
    scene = examples[0].scene
    wide = replace(scene, width=2 * scene.width, depth_path="", instances=())
    assert not TargetBuilder(CELLS, wide.categories, "", targets.window)._grid(wide).labels.any()


# -------------------------------------------------------------------------------------------------- tokens and seeds


@pytest.mark.parametrize("frame", ["", "<s> $A", "<s> $A </s>"])
@pytest.mark.parametrize("sees", [True, False])
def test_a_prompt_is_learnt_as_it_is_asked(llava, examples, frame, sees):
    """Also where the tokenizer begins every text with <s>, as Llama's does."""
    asked = Model(str(llava(frame=frame)), "cpu")
    vlm = modeling.Vlm(asked.model, asked.processor, CELLS, SIDE)
    packed, example = PackedBatches(examples, StepPlan(1, 2, 9), 0, vlm, Plan(), None), examples[0]
    begin = packed.packer._template(with_image=sees).begin
    parts = packed._row(example, 0, sees=sees, rng=np.random.default_rng(0))
    assert begin.count(vlm.tokenizer.bos_token_id) == bool(frame)
    image = np.zeros((SIDE, SIDE, 3), np.uint8) if sees else None
    drawn = np.random.default_rng(0).permutation(len(example.questions))[:9]
    for n, (ids, learnt) in zip(drawn, parts, strict=False):
        question, answer_at = example.questions[n], learnt.index(True)
        assert (
            begin + ids[:answer_at]
            == asked.inputs([asked.chat.text(question.text, with_image=sees)], [image])["input_ids"][0].tolist()
        )
        assert ids[answer_at:] == [
            *asked.tokens(question.answer, question.text, with_image=sees),
            vlm.tokenizer.eos_token_id,
        ]


@PEFT
def test_a_seed_decides_heads_and_adapters(joint, llava):
    pytest.importorskip("peft")

    def drawn(seed):
        torch.manual_seed(99 + seed + torch.initial_seed() % 7)  # whatever went before
        torch.rand(3)
        stage = stages.prepare(replace(joint(llava(), lora=2), seed=seed))
        return {
            name: weight.clone()
            for name, weight in stage.model.named_parameters()
            if "perception" in name or "lora" in name
        }

    first, again, other = drawn(0), drawn(0), drawn(1)
    assert any("lora_A" in name for name in first)
    assert any("perception" in name for name in first)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first if "perception" in name)
    assert any(not torch.equal(first[name], other[name]) for name in first if "lora_A" in name)


def test_numbers_are_read_from_the_patches_as_the_language_model_gets_them_where_the_recipe_says_so(joint, llava):
    """The other losses are what they are without, and the head is not saved."""
    stage, plain = stages.prepare(joint(llava(), numbers=0.5)), stages.prepare(joint(llava()))
    parts, others = (each.losses(each.model, each.batches[0], 61) for each in (stage, plain))
    assert parts.keys() - others.keys() == {"numbers"}
    assert all(parts[name].item() == pytest.approx(other.item(), abs=1e-5) for name, other in others.items())
    parts["numbers"].backward()
    assert stage.model.model.multi_modal_projector.linear_1.weight.grad.abs().sum() > 0
    assert stage.model.perception.numbers.weight.grad.abs().sum() > 0


# ------------------------------------------------------------------------------------------------- language that is kept


@PEFT
@pytest.mark.parametrize("rank", [0, 2])
def test_in_steps_of_words_alone_it_is_held_to_the_language_that_it_began_with(joint, llava, rank):
    """The divergence is nothing at first, and grows as the weights leave where they began; the words cost what they did."""
    if rank:
        pytest.importorskip("peft")
    task = joint(llava(), language_kl=0.5, lora=rank, blind_every=2)
    stage = stages.prepare(task)
    blind = stage.batches[1]
    assert "pixel_values" not in blind
    first = stage.losses(stage.model, blind, 1)
    assert first["language_kl"].item() == pytest.approx(0, abs=1e-5)
    plain = stages.prepare(joint(llava(), lora=rank, blind_every=2))
    assert plain.losses(plain.model, blind, 1).keys() == {"words"}
    assert plain.losses(plain.model, blind, 1)["words"].item() == pytest.approx(first["words"].item(), abs=1e-5)
    with torch.no_grad():
        for name, weight in stage.model.named_parameters():
            if weight.requires_grad and ("lora_B" in name if rank else "language_model" in name):
                weight.add_(0.05 * torch.randn_like(weight))
    moved = stage.losses(stage.model, blind, 1)
    assert moved["language_kl"] > 1e-4
    moved["language_kl"].backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in stage.model.parameters())
    assert "language_kl" not in stage.losses(stage.model, stage.batches[0], 0)
