"""What a run learns from and is tested on: never the same."""

import json

import cv2
import msgspec
import numpy as np
import pytest

from pstgen import train_eval
from pstgen.core.records import BadInput
from pstgen.evaluation import data
from pstgen.training import examples
from pstgen.training import recipe as recipes
from pstgen.training.recipe import Recipe

FEW = Recipe(scenes=6, size=64, families=("existence", "colour"), exam_scenes=3)


def whole(items, _step, _total=None):
    return items


def test_worlds_to_learn_from_to_tune_on_and_to_report_are_all_different():
    seeds = {data.TRAINING_SEED, *data.STRESS_TEST_SEEDS.values(), *data.BENCHMARK_SEEDS.values()}
    assert len(seeds) == 5


@pytest.mark.parametrize("part", ["pst", "exams"])
def test_tuning_never_sees_what_is_reported(part):
    tuned, reported = (msgspec.structs.replace(FEW, tested_on=which) for which in ("validation", "test"))
    if part == "pst":
        seeds = [data.stress_test_config(recipe, None).seed for recipe in (tuned, reported)]
        assert seeds[0] != seeds[1]
    else:
        scenes = [[scene.instances for scene in data.benchmark_scenes(recipe)] for recipe in (tuned, reported)]
        assert scenes[0] != scenes[1]


@pytest.mark.parametrize(
    ("image", "number"),
    [
        ("val2014/COCO_val2014_000000000042.jpg", "42"),
        ("train2017/000000000042.jpg", "42"),
        ("val2017/42+recolour-d7cfb71f", "42"),
        ("mine/b_07.png", "b_07"),
        ("mine/000.png", "0"),
    ],
)
def test_an_image_has_one_number_in_every_release(image, number):
    assert examples.image_number(image) == number


def test_what_is_tested_on_gives_no_example_and_is_named(tmp_path):
    config = data.training_config(FEW)
    free = examples.prepare(config, 0.5, tmp_path / "free", whole)
    held = examples.prepare(config, 0.5, tmp_path / "held", whole, {"2", "4"})
    names = [[example.scene.id for example in written] for written in (free, held)]
    assert set(names[0]) - set(names[1]) == {"world/2", "world/4"}
    lines = (tmp_path / "held" / examples.REFUSED).read_bytes().splitlines()
    assert [msgspec.json.decode(line)["record"] for line in lines] == ["world/2", "world/4"]
    assert not (tmp_path / "free" / examples.REFUSED).exists()


@pytest.mark.parametrize("name", ["small", "full"])
def test_our_recipes_have_families_that_benchmarks_can_ask_about(name, tmp_path):
    few = msgspec.structs.replace(FEW, families=recipes.read(name).families)
    data._write_benchmark(few, data.benchmark_scenes(few), "test", tmp_path / "exams", whole)
    asked = json.loads((tmp_path / "exams" / "test_balanced_questions.json").read_bytes())
    assert len(asked) == FEW.exam_scenes * FEW.exam_questions


def test_families_that_no_benchmark_can_ask_about_are_refused_before_anything_is_made(tmp_path):
    paths = data.paths(tmp_path / "run")
    with pytest.raises(BadInput, match="existence"):
        train_eval.prepare_data(msgspec.structs.replace(FEW, families=("depth",)), paths, tmp_path / "run", whole)
    assert not (tmp_path / "run" / "course").exists()


def test_another_stress_test_in_the_same_folder_is_found(tmp_path):
    folder = tmp_path / "pst"
    folder.mkdir()
    paths = data.paths(tmp_path / "run", folder)
    (folder / "manifest.json").write_text("{}")
    before = data.given(paths, tmp_path / "run")
    (folder / "manifest.json").write_text("{ }")
    assert before["pst"] == str(folder)
    assert before != data.given(paths, tmp_path / "run")
    assert data.given(data.paths(tmp_path / "run"), tmp_path / "run") == {}


@pytest.fixture
def benchmark(tmp_path):
    """One question in VQA v2's format with its image, the annotation changed as asked."""

    def of(**changed):
        folder = tmp_path / "vqa"
        (folder / "images").mkdir(parents=True)
        cv2.imwrite(str(folder / "images" / "COCO_val2014_000000000007.jpg"), np.zeros((32, 32, 3), np.uint8))
        answers = [{"answer": "yes", "answer_confidence": "yes", "answer_id": n} for n in range(1, 11)]
        row = {"image_id": 7, "question_id": 70, "question_type": "is it", "answer_type": "yes/no", "answers": answers}
        row |= {"multiple_choice_answer": "yes"} | changed
        head = {"data_type": "mscoco", "data_subtype": "val2014"}
        question = {"image_id": 7, "question": "Is it?", "question_id": 70}
        for name, rows in (("OpenEnded_mscoco_val2014_questions", [question]), ("mscoco_val2014_annotations", [row])):
            contents = head | {name.rpartition("_")[2]: rows}
            (folder / f"v2_{name}.json").write_text(json.dumps(contents))
        return folder

    return of


def test_images_of_a_benchmark_are_held_out_of_the_photographs_to_learn_from(tmp_path, benchmark):
    paths = data.paths(tmp_path / "run", vqa=benchmark())
    assert data.check_given_benchmarks(paths, tmp_path / "run") == {"7"}


@pytest.mark.parametrize(("field", "value"), [("answer_type", "essay"), ("answers", [])])
def test_a_benchmark_that_cannot_be_scored_is_refused_before_anything_is_made(tmp_path, benchmark, field, value):
    folder = benchmark(**{field: value})
    paths = data.paths(tmp_path / "run", vqa=folder)
    with pytest.raises(BadInput, match=str(folder)):
        train_eval.prepare_data(FEW, paths, tmp_path / "run", whole)
    assert not (tmp_path / "run" / "course").exists()
