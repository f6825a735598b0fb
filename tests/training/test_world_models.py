"""Small models that learn the built-in world: what they are shown, what they read, and how they are trained."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from pstgen.core.records import BadInput, Unavailable
from pstgen.models import from_scratch
from pstgen.models.asking import prompt
from pstgen.models.judges import text
from pstgen.models.perceptual_losses import PositionHead
from pstgen.questions import wording
from pstgen.scenes.vocabulary import plural, spoken
from pstgen.scenes.world.plan import kinds
from pstgen.training import examples, joint_stage, modeling, stages, world_examples, world_models
from pstgen.training.batches import IGNORED, StepPlan
from pstgen.training.recipe import WorldRecipe
from pstgen.training.world_batches import CELLS, COUNT, MIXED, LookBatches, WordBatches, _targets, code_counts
from pstgen.training.world_examples import WorldExamples

SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
SMALL = WorldRecipe(
    size=64, vision={**SHAPE, "patch_size": 16}, text=SHAPE, vocabulary=400, look_steps=2, tell_steps=1, steps=4,
    batch=2, questions=3, blind_every=2, grey=0.2, warm_up=1, dense=0.3,
)  # fmt: skip
GRID = 4  # patches a side


@pytest.fixture(scope="module", autouse=True)
def fewer_scenes():
    """The prior from a few scenes: what is tested here does not depend on how many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world_examples, "PRIOR_SCENES", 40)
        patch.setattr(world_models, "CORPUS", 10)
        yield


@pytest.fixture(scope="module")
def world():
    return WorldExamples(SMALL)


@pytest.fixture(scope="module")
def vlm(world):
    return world_models.build(SMALL, world_models.train_tokenizer(SMALL, world))


@pytest.fixture(scope="module")
def pictured(world):
    """Some examples whose image shows the scene."""
    return [example for example in map(world.seen, range(24)) if not example.is_grey]


# ------------------------------------------------------------------------------------------------------------ examples


def test_an_example_is_the_same_whenever_it_is_drawn(world):
    for draw in (world.seen, world.read, world.unasked):
        first, again = draw(7), draw(7)
        assert first.questions == again.questions
        assert (first.image is None) == (draw == world.read)
        assert first.image is None or (first.image == again.image).all()


def test_where_it_sees_words_say_little_and_where_it_reads_they_say_much(world):
    """A classifier of the words, cross-fitted by example, on yes/no questions."""

    def guessed(draw):
        numbered = [(n, question) for n in range(300) for question in draw(n)]
        yes_no = [(n, question) for n, question in numbered if set(question.options) == {"yes", "no"}]
        columns = (
            [question.text for _, question in yes_no],
            [question.answer for _, question in yes_no],
            [question.options for _, question in yes_no],
            [str(n) for n, _ in yes_no],
        )
        scores = text.cross_fit(*columns, folds=5, seed=0)
        return np.mean([q.options[int(np.argmax(s))] == q.answer for (_, q), s in zip(yes_no, scores, strict=True)])

    seen = guessed(lambda n: () if world.seen(n).is_grey else world.seen(n).questions)
    assert seen + 0.1 < guessed(lambda n: world.read(n).questions)


def test_every_frame_has_words_for_every_question(world):
    for n in range(30):
        for question in world.seen(n).questions + world.read(n).questions:
            assert question.family in SMALL.families
            assert question.answer in question.options
            assert 2 <= len(question.options) <= 4
    assert all(wording.frames(family) for family in SMALL.families)


def test_what_could_be_the_answer_holds_the_truth_and_no_other_thing_of_the_scene(pictured):
    """Of questions whose options are things; the others' answers are their family's."""
    for example in pictured[:12]:
        there = {spoken(thing.category) for thing in example.scene.instances}
        answers = examples.answerable(examples.known_facts(example.scene, ("existence", "pointing", "count")))
        chosen = {fact: possible for fact, possible in answers.items() if fact.form in {"which", "what"}}
        assert all(there.intersection(possible) == {fact.truth.answer} for fact, possible in chosen.items())
        assert {fact.form for fact in answers} >= {"given", "many"}


def test_at_most_one_point_is_marked_in_a_picture_and_only_that_is_asked_about():
    pointing = WorldExamples(msgspec.structs.replace(SMALL, families=("existence", "pointing"), grey=0.0))
    marked = 0
    for n in range(30):
        example = pointing.seen(n)
        _, plain = world_examples.draw(pointing._plan_to_see(n), SMALL.drawn)
        asked = any(question.family == "pointing" for question in example.questions)
        changed = (example.image != plain).any()
        assert changed or not asked
        marked += changed
    assert 3 < marked < 27


def test_the_first_steps_ask_of_the_first_families_alone():
    recipe = msgspec.structs.replace(SMALL, first=("colour",), first_steps=2, grey=0.0)
    examples = WorldExamples(recipe)
    first = (recipe.look_steps + recipe.tell_steps + recipe.first_steps) * recipe.batch
    assert {q.family for n in range(first - 5, first) for q in examples.seen(n).questions} == {"colour"}
    assert len({q.family for n in range(first, first + 5) for q in examples.seen(n).questions}) > 1


def test_the_inventory_says_what_the_scene_holds(pictured):
    """Oracle: the targets. A kind that is counted covers a cell or is hidden; one that is said to be absent covers none."""
    names = {spoken(name): n for n, name in enumerate(kinds(), 1)}
    names |= {plural(noun): n for noun, n in list(names.items())}
    for example in pictured[:12]:
        shown = set(_targets(example, CELLS * GRID).labels[:, 0].tolist())
        listed = {names[noun]: there for noun, there in example.inventory}
        assert shown - {0} <= {n for n, there in listed.items() if there != "0"}


# ------------------------------------------------------------------------------------------------------------- batches


def test_cells_say_what_covers_them_and_where_centres_are(pictured):
    targets = _targets(pictured[0], CELLS * GRID)
    assert targets.labels.shape == ((CELLS * GRID) ** 2, 2)
    assert targets.labels[:, 0].max() <= len(kinds())
    assert (targets.centres > 0).any()
    assert ((targets.labels[:, 0] > 0) == (targets.labels[:, 1] > 0)).all()
    assert np.isnan(targets.joints).all()
    assert np.isnan(targets.depth).all()


def test_a_thing_of_several_colours_has_a_code_and_no_name(world, vlm):
    """The heads learn that it has no one colour; of what the words for colours say of it, nothing is learnt."""
    mixed = next(e for e in map(world.unasked, range(60)) if any(not thing.colour for thing in e.scene.instances))
    labels = _targets(mixed, CELLS * GRID).labels
    assert (labels[:, 1] == MIXED).any()
    assert ((labels[:, 0] > 0) == (labels[:, 1] > 0)).all()
    assert code_counts()["colour"] == MIXED
    colours = modeling.name_tokens(vlm.tokenizer, tuple(kinds()))[1]
    assert len(colours) == MIXED - 1


def test_a_grey_image_says_nothing_of_its_scene(world):
    grey = next(example for example in map(world.seen, range(60)) if example.is_grey)
    assert (grey.image == grey.image[0, 0]).all()
    targets = _targets(grey, CELLS * GRID)
    assert (targets.labels < 0).all()
    assert (targets.centres < 0).all()
    assert grey.inventory == ()


def test_packed_questions_are_scored_as_one_by_one(world, vlm, pictured):
    """Questions, packed behind their image, cost what Transformers says of each of their prompts."""
    examples = [replace(example, inventory=()) for example in pictured[:3]]
    words = WordBatches(world, StepPlan(4, 3, 3), vlm)
    batch = words.packer.pack([list(words._parts(example, sees=True)) for example in examples], with_image=True)
    vlm.model.eval()
    inputs, losses, lengths = words.images(examples), [], []
    with torch.no_grad():
        *_, output = modeling.encode_images(vlm.model, {"pixel_values": inputs["pixel_values"]}, GRID)
        packed = joint_stage.words_loss(vlm.model, batch, output).item()
        for example, question in ((drawn, question) for drawn in examples for question in drawn.questions):
            before = vlm.prompt(prompt(question.text, question.options), with_image=True)
            answer = f" {question.answer}{vlm.tokenizer.eos_token}"
            alone = vlm.processor(images=[example.image], text=[before + answer], return_tensors="pt")
            lengths.append(len(vlm.tokenizer(answer)["input_ids"]))
            labels = alone["input_ids"].clone()
            labels[:, : -lengths[-1]] = IGNORED
            losses.append(vlm.model(**alone, labels=labels).loss.item())
    assert packed == pytest.approx(float(np.average(losses, weights=lengths)), abs=1e-4)


def test_only_what_is_there_is_learnt_of_an_inventory(world, vlm, pictured):
    example = replace(pictured[0], questions=())
    words = WordBatches(world, StepPlan(4, 1, 0), vlm)
    batch = words.packer.pack([list(words._parts(example, sees=True))], with_image=True)
    learnt = vlm.tokenizer.decode(batch["labels"][batch["labels"] != IGNORED])
    assert learnt.split(",")[:-1] == [f" {there}" for _, there in example.inventory]
    assert vlm.tokenizer.decode(batch["input_ids"][0]).count(COUNT) == -(-len(example.inventory) // 4)


def test_steps_look_then_take_inventories_then_ask_and_some_of_those_are_blind(world, vlm):
    plan = StepPlan(SMALL.tell_steps + SMALL.steps, SMALL.batch, SMALL.questions, SMALL.blind_every)
    look, words = LookBatches(world, StepPlan(SMALL.look_steps, SMALL.batch, 0), vlm), WordBatches(world, plan, vlm)
    assert set(look[0]) == {"pixel_values", "targets"}
    assert [words.kind(n) for n in range(5)] == ["inventory", "blind", "seeing", "blind", "seeing"]
    assert [("pixel_values" in words[n]) for n in range(5)] == [True, False, True, False, True]
    assert all("input_ids" in words[n] for n in range(5))
    assert [example.scene.id for example in words.drawn(0)] == words.scenes(0)
    drawn = [scene for batches in (look, words) for n in range(2) for scene in batches.scenes(n)]
    assert len(set(drawn)) == len(drawn)  # numbers go on from stage to stage


# ------------------------------------------------------------------------------------------------------------ training


def nothing(_step, _figures):
    pass


def test_a_run_that_is_cut_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    """Cut in the second stage, after a checkpoint; what the first stage learnt is not learnt again."""
    monkeypatch.setattr(world_models, "KEEP_EVERY", 2)
    world_models.train(SMALL, tmp_path / "whole", nothing, "cpu")

    def cut(step, _figures):
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world_models.train(SMALL, tmp_path / "cut", cut, "cpu")
    steps = []
    world_models.train(SMALL, tmp_path / "cut", lambda step, _: steps.append(step), "cpu")
    assert steps == [4, 5, 6]
    whole, again = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut"))
    assert whole.keys() == again.keys()
    assert all(torch.allclose(whole[name], again[name], atol=2e-3) for name in whole)
    assert not any("perception" in name for name in whole)
    assert not list((tmp_path / "cut").rglob("checkpoint-*"))


def test_both_stages_are_logged_and_what_is_trained_is_not_trained_again(tmp_path):
    figures = []
    world_models.train(SMALL, tmp_path, lambda step, parts: figures.append((step, set(parts))), "cpu")
    assert figures[:2] == [(n, {"dense", "place", "named", "loss"}) for n in range(2)]
    seeing, blind = {"dense", "place", "named", "words", "loss"}, {"words", "loss"}
    assert figures[2:] == [(2, seeing), (3, blind), (4, seeing), (5, blind), (6, seeing)]
    assert {(tmp_path / name).is_file() for name in ("recipe.json", stages.DONE, "log.jsonl")} == {True}
    world_models.train(SMALL, tmp_path, lambda *_: pytest.fail("trained again"), "cpu")


def test_rates_are_level_between_the_stages_and_go_down_over_the_last_quarter_of_both(world, tmp_path):
    look = world_models._look_stage(SMALL, world, tmp_path, "cpu").settings
    assert (look.cooling, look.warm_up) == (0, 1)
    trained = msgspec.structs.replace(SMALL, look_steps=0)
    assert world_models._words_stage(trained, world, tmp_path, "cpu").settings.cooling == 1


def test_a_run_begins_with_the_weights_and_words_of_another(tmp_path, world):
    """With no steps but one of rate nothing they are what they were, but for the codes that are added."""
    world_models.train(msgspec.structs.replace(SMALL, look_steps=0, tell_steps=0, steps=1), tmp_path, nothing, "cpu")
    recipe = msgspec.structs.replace(SMALL, begin=str(tmp_path), position_codes=0.5)
    tokenizer = world_models.train_tokenizer(recipe, world)
    begun = world_models.build(recipe, tokenizer).model
    plain = world_models.build(msgspec.structs.replace(recipe, position_codes=0.0), tokenizer).model
    moved = [name for name, value in plain.state_dict().items() if not torch.equal(value, begun.state_dict()[name])]
    moved = [name for name in moved if "perception" not in name]
    assert moved == ["model.vision_tower.embeddings.position_embedding.weight"]
    assert torch.equal(
        plain.get_input_embeddings().weight, modeling.load(str(tmp_path)).model.get_input_embeddings().weight
    )
    other = msgspec.structs.replace(recipe, text=SHAPE | {"hidden_size": 16})
    with pytest.raises(BadInput, match="another shape"):
        world_models.build(other, tokenizer)


@given(st.integers(2, 9), st.integers(1, 8))
def test_position_codes_tell_every_place_and_columns_apart_from_rows(grid, quarter):
    codes = from_scratch.position_codes(grid, 4 * quarter).view(grid, grid, 2, -1)
    assert torch.equal(codes[0, :, 0], codes[-1, :, 0])
    assert torch.equal(codes[:, 0, 1], codes[:, -1, 1])
    assert len(codes.flatten(0, 1).flatten(1).unique(dim=0)) == grid**2


def test_the_head_of_places_costs_nothing_where_it_is_right_and_log_of_the_grid_where_it_knows_nothing():
    head = PositionHead(2, 3)
    places = torch.cartesian_prod(torch.arange(3), torch.arange(3)).float().flip(1)  # column, row
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        assert head.loss(places[None]).item() == pytest.approx(np.log(3))
        slopes = torch.arange(3).float()
        head.weight[:3, 0], head.weight[3:, 1] = 100 * slopes, 100 * slopes
        head.bias[:] = (-50 * slopes**2).repeat(2)
    assert head.loss(places[None].repeat(2, 1, 1)).item() == pytest.approx(0, abs=1e-6)


def test_a_language_model_alone_is_trained_by_the_same_code(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    alone, figures = msgspec.structs.replace(SMALL, vision={}, look_steps=0, tell_steps=0, steps=2), []
    world_models.train(alone, tmp_path, lambda _, parts: figures.append(parts), "cpu")
    assert all(set(parts) == {"words", "loss"} for parts in figures)
    AutoModelForCausalLM.from_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tmp_path)


def test_a_folder_of_another_recipe_is_refused(tmp_path):
    (tmp_path / "recipe.json").write_bytes(msgspec.json.encode(SMALL))
    with pytest.raises(BadInput, match="another recipe"):
        world_models.train(msgspec.structs.replace(SMALL, seed=1), tmp_path, nothing, "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is an accelerator")
def test_a_device_that_is_not_there_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(Unavailable, match="cuda"):
        world_models.train(SMALL, tmp_path / "out", nothing, "cuda")
    assert not (tmp_path / "out").exists()
