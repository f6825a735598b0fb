"""Recipes: ours, and what is refused of anybody's."""

from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from pstgen.core.records import BadInput
from pstgen.training import recipe
from pstgen.training.recipe import Recipe

OURS = sorted(file.name.removesuffix(".yaml") for file in (files("pstgen.training") / "recipes").iterdir())
EYES = {"eye", "words"}  # of `pstgen eye train`


@pytest.fixture
def written(tmp_path):
    def of(text):
        file = tmp_path / "mine.yaml"
        file.write_text(text)
        return str(file)

    return of


def test_the_default_one_is_among_ours():
    assert "small" in OURS


@pytest.mark.parametrize("name", [name for name in OURS if name not in EYES])
def test_our_own_recipes_are_read(name):
    told = recipe.read(name)
    assert told == recipe.read(str(files("pstgen.training") / "recipes" / f"{name}.yaml"))
    assert told.joint_steps > 0


def test_the_small_one_has_a_model_of_its_own():
    told = recipe.read("small")
    assert told.model == ""
    assert told.size % told.vision["patch_size"] == 0
    assert told.encoder == "tiny"


@pytest.mark.parametrize("name", sorted(EYES))
def test_a_recipe_of_the_eyes_is_another_kind(name):
    with pytest.raises(BadInput, match=name):
        recipe.read(name)


def test_a_file_changes_what_it_names_and_an_option_changes_the_file(written):
    told = recipe.read(written("batch: 3\nreward: 0.25\ntrain: photos\n"), batch=5, seeds=None, systems=())
    default = Recipe()
    assert (told.batch, told.reward, told.train) == (5, 0.25, Path("photos"))
    assert (told.seeds, told.systems) == (default.seeds, default.systems)
    assert msgspec.structs.replace(told, batch=default.batch, reward=default.reward, train=None) == default


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
def test_a_name_that_there_is_not_says_what_there_is(written, text, name, other):
    with pytest.raises(BadInput, match=f"{name}.*{other}"):
        recipe.read(written(text))


@pytest.mark.parametrize("text", ["batch: [", "- 1\n- 2", "just words", "\x00"])
def test_a_file_that_is_no_recipe_is_refused_by_name(written, text):
    with pytest.raises(BadInput, match=r"mine\.yaml"):
        recipe.read(written(text))


@pytest.mark.parametrize("name", ["smaller", "no/such/file.yaml", "."])
def test_a_name_of_no_recipe_is_refused(name):
    with pytest.raises(BadInput, match="no such recipe"):
        recipe.read(name)


def test_an_option_out_of_range_is_refused_too():
    with pytest.raises(BadInput, match=r"small\.yaml.*joint_steps"):
        recipe.read("small", joint_steps=0)


def test_a_recipe_survives_being_written_down():
    """A run keeps its recipe as JSON, and another process reads it."""
    told = recipe.read("small", train="photos")
    text = msgspec.json.encode(told, enc_hook=str)
    assert msgspec.json.decode(text, type=Recipe, dec_hook=lambda kind, value: kind(value)) == told
