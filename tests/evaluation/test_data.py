"""What a run learns from and is examined on: never the same."""

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


def whole(things, _what, _total=None):
    return things


def test_worlds_that_are_learnt_from_tuned_on_and_reported_are_all_others():
    seeds = {data.LEARNT, *data.TESTED.values(), *data.EXAMINED.values()}
    assert len(seeds) == 5


@pytest.mark.parametrize("part", ["pst", "exams"])
def test_tuning_never_sees_what_is_reported(part):
    tuned, reported = (msgspec.structs.replace(FEW, tested_on=which) for which in ("validation", "test"))
    if part == "pst":
        one, other = (data.tested(each, None).seed for each in (tuned, reported))
    else:
        one, other = ([scene.instances for scene in data.examined(each)] for each in (tuned, reported))
    assert one != other


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
    assert examples.number(image) == number


def test_what_is_examined_on_gives_no_lesson_and_is_named(tmp_path):
    config = data.taught(FEW)
    free = examples.prepare(config, 0.5, tmp_path / "free", whole)
    held = examples.prepare(config, 0.5, tmp_path / "held", whole, {"2", "4"})
    names = [[told.lesson(n).scene.id for n in range(len(told))] for told in (free, held)]
    assert set(names[0]) - set(names[1]) == {"world/2", "world/4"}
    lines = (tmp_path / "held" / examples.REFUSED).read_bytes().splitlines()
    assert [msgspec.json.decode(line)["record"] for line in lines] == ["world/2", "world/4"]
    assert not (tmp_path / "free" / examples.REFUSED).exists()


@pytest.mark.parametrize("name", ["small", "full"])
def test_our_recipes_have_families_that_exams_can_ask_about(name, tmp_path):
    told = recipes.read(name)
    few = msgspec.structs.replace(FEW, families=told.families)
    data._exams(few, data.examined(few), "test", tmp_path / "exams", whole)
    asked = json.loads((tmp_path / "exams" / "test_balanced_questions.json").read_bytes())
    assert len(asked) == FEW.exam_scenes * FEW.exam_questions


def test_families_that_no_exam_can_ask_about_are_refused_before_anything_is_made(tmp_path):
    told = data.folders(tmp_path / "run", None, None, None)
    with pytest.raises(BadInput, match="existence"):
        train_eval.gather(msgspec.structs.replace(FEW, families=("depth",)), told, tmp_path / "run", whole)
    assert not (tmp_path / "run" / "course").exists()


def test_another_stress_test_in_the_same_folder_is_found(tmp_path):
    folder = tmp_path / "pst"
    folder.mkdir()
    told = data.folders(tmp_path / "run", folder, None, None)
    (folder / "manifest.json").write_text("{}")
    before = data.given(told, tmp_path / "run")
    (folder / "manifest.json").write_text("{ }")
    assert before["pst"] == str(folder)
    assert before != data.given(told, tmp_path / "run")
    assert data.given(data.folders(tmp_path / "run", None, None, None), tmp_path / "run") == {}


@pytest.fixture
def exam(tmp_path):
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
            told = head | {name.rpartition("_")[2]: rows}
            (folder / f"v2_{name}.json").write_text(json.dumps(told))
        return folder

    return of


def test_images_of_an_exam_are_held_back_from_photographs_to_learn_from(tmp_path, exam):
    told = data.folders(tmp_path / "run", None, exam(), None)
    assert data._exams_given(told, tmp_path / "run") == {"7"}


@pytest.mark.parametrize(("field", "value"), [("answer_type", "essay"), ("answers", [])])
def test_an_exam_that_cannot_be_marked_is_refused_before_anything_is_made(tmp_path, exam, field, value):
    folder = exam(**{field: value})
    told = data.folders(tmp_path / "run", None, folder, None)
    with pytest.raises(BadInput, match=str(folder)):
        train_eval.gather(FEW, told, tmp_path / "run", whole)
    assert not (tmp_path / "run" / "course").exists()
