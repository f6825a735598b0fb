"""Recipes: ours, and what is refused of anybody's."""

from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from pstgen.core import resources
from pstgen.core.records import BadInput
from pstgen.training import recipe
from pstgen.training.recipe import Recipe

OURS = sorted(file.name.removesuffix(".yaml") for file in (files("pstgen.training") / "recipes").iterdir())
WORLD = {"eye", "eye-start", "words"}  # of `pstgen eye train`


@pytest.fixture
def written(tmp_path):
    def of(text):
        file = tmp_path / "mine.yaml"
        file.write_text(text)
        return str(file)

    return of


def test_the_default_one_is_among_ours():
    assert "small" in OURS


@pytest.mark.parametrize("name", [name for name in OURS if name not in WORLD])
def test_our_own_recipes_are_read(name):
    loaded = recipe.read(name)
    assert loaded == recipe.read(str(files("pstgen.training") / "recipes" / f"{name}.yaml"))
    assert loaded.joint_steps > 0


def test_the_small_one_has_a_model_of_its_own():
    loaded = recipe.read("small")
    assert loaded.model == ""
    assert loaded.size % loaded.vision["patch_size"] == 0
    assert loaded.encoder == "tiny"


@pytest.mark.parametrize("name", OURS)
def test_a_recipe_is_of_one_kind_alone(name):
    right, wrong = (recipe.read_world, recipe.read) if name in WORLD else (recipe.read, recipe.read_world)
    assert right(name)
    with pytest.raises(BadInput, match=name):
        wrong(name)


@pytest.mark.parametrize("name", ["eye", "words"])
def test_the_models_that_are_shipped_were_trained_by_our_recipes(name):
    assert recipe.of_model(resources.model_folder(name)) == recipe.read_world(name)


def test_a_folder_without_a_recipe_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"recipe\.json"):
        recipe.of_model(tmp_path)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("stepps: 3", "stepps"),
        ("steps: many", "int"),
        ("a: [", "mine"),
        ("grey: 2", "grey"),
        ("look_steps: -1", "look"),
    ],
)
def test_what_is_wrong_with_a_recipe_of_the_world_is_refused_too(written, text, field):
    with pytest.raises(BadInput, match=field):
        recipe.read_world(written(text))


def test_a_file_changes_what_it_names_and_an_option_changes_the_file(written):
    loaded = recipe.read(written("batch: 3\nreward: 0.25\ntrain: photos\n"), batch=5, seeds=None, systems=())
    default = Recipe()
    assert (loaded.batch, loaded.reward, loaded.train) == (5, 0.25, Path("photos"))
    assert (loaded.seeds, loaded.systems) == (default.seeds, default.systems)
    assert msgspec.structs.replace(loaded, batch=default.batch, reward=default.reward, train=None) == default


def test_an_empty_file_is_the_default(written):
    assert recipe.read(written("")) == Recipe()
    assert recipe.read(written("systems: [standard]")).systems == ("standard",)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("no_such_field: 1", "no_such_field"),
        ("batch: many", "batch"),
        ("batch: 1.5", "batch"),
        ("families: 3", "families"),
        ("vision: 3", "vision"),
        ("reward: -0.1", "reward"),
        ("dense: -1", "dense"),
        ("words: -1", "words"),
        ("joint_steps: 0", "joint_steps"),
        ("encoder_steps: -1", "encoder_steps"),
        ("batch: 0", "batch"),
        ("questions: 0", "questions"),
    ],
)
def test_what_is_wrong_is_refused_by_file_and_field(written, text, field):
    with pytest.raises(BadInput, match=rf"mine\.yaml.*{field}"):
        recipe.read(written(text))


@pytest.mark.parametrize(
    "text",
    [
        *("scenes: 0", "size: 0", "plain: 1.5", "plain: -1", "typicality: 2", "typicality_tested: -0.1"),
        *("vocabulary: 0", "lora: -1", "accumulate: 0", "blind_every: -1", "learning_rate: -1", "encoder_rate: -1"),
        *("head_rate: -1", "warm_up: -1", "weight_decay: -1", "reward_warm_up: -1", "keep_every: 0", "seeds: 0"),
        *("pst_scenes: 0", "pst_pairs: 0", "exam_scenes: 0", "exam_questions: 0", "price: -1", "reward: .nan"),
        *("learning_rate: .inf", "accumulate: 5000"),
    ],
)
def test_every_field_out_of_range_is_refused(written, text):
    with pytest.raises(BadInput, match=rf"mine\.yaml.*{text.partition(':')[0]}"):
        recipe.read(written(text))


@pytest.mark.parametrize(
    ("text", "name", "other"),
    [
        ("families: [existing]", "existing", "existence"),
        ("systems: [standards]", "standards", "standard"),
        ("evaluations: [vqa2]", "vqa2", "vqa"),
        *((f"encoder: {name}", name, "resnet50") for name in ("resnet51", "no/such/folder", "/no/such/folder")),
    ],
)
def test_an_unknown_name_says_what_there_is(written, text, name, other):
    with pytest.raises(BadInput, match=f"{name}.*{other}"):
        recipe.read(written(text))


@pytest.mark.parametrize("text", ["batch: [", "- 1\n- 2", "just words", "\x00"])
def test_a_file_without_a_recipe_is_refused_by_name(written, text):
    with pytest.raises(BadInput, match=r"mine\.yaml"):
        recipe.read(written(text))


@pytest.mark.parametrize("name", ["smaller", "no/such/file.yaml", "."])
def test_an_unknown_recipe_is_refused(name):
    with pytest.raises(BadInput, match="no such recipe"):
        recipe.read(name)


def test_an_option_out_of_range_is_refused_too():
    with pytest.raises(BadInput, match=r"small\.yaml.*joint_steps"):
        recipe.read("small", joint_steps=0)


def test_a_recipe_survives_being_written_down():
    """A run keeps its recipe as JSON, and another process reads it."""
    loaded = recipe.read("small", train="photos")
    text = msgspec.json.encode(loaded, enc_hook=str)
    assert msgspec.json.decode(text, type=Recipe, dec_hook=lambda kind, value: kind(value)) == loaded
