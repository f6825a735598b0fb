"""Scenes of the world as exams in both official formats, read and measured by our own readers and metrics."""

import json
from collections import Counter, defaultdict

import numpy as np
import pytest
from PIL import Image

from pstgen.core.records import BadInput, Refusals, Unavailable
from pstgen.evaluation.metrics import gqa as gqa_metric
from pstgen.evaluation.metrics import vqa as vqa_metric
from pstgen.questions.benchmarks import gqa, gqa_programs, synthetic, vqa_v2
from pstgen.questions.benchmarks.synthetic import Rules
from pstgen.scenes.world.plan import plan
from pstgen.scenes.world.scenes import save
from pstgen.scenes.world.scenes import scene as drawn

EVERY = ("existence", "colour", "count", "relation", "size")
SCENES = 40


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("world"), []
    for n in range(SCENES):
        image, depth = folder / f"{n}.png", folder / f"{n}.depth.png"
        told, drawing = drawn(plan(3, n, 0.8), 96, image, depth)
        save(drawing, image, depth)
        made.append(told)
    return made


@pytest.fixture(scope="module")
def exam(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exam")
    return folder, synthetic.write(scenes, folder, "test", Rules(families=EVERY, per_scene=12))


def truths(exam):
    return {name: row.answer for name, row in gqa.questions(exam[1].gqa)[1].items()}


def test_both_formats_hold_the_same_questions_images_and_answers(exam):
    folder, told = exam
    refused = Refusals()
    theirs, ours = list(vqa_v2.examples(folder, refused)), list(gqa.examples(folder, refused))
    assert not refused.records
    assert (told.images, told.questions) == (SCENES, len(ours))
    assert [(e.question_id, e.image, e.question) for e in theirs] == [
        (e.question_id, e.image, e.question) for e in ours
    ]
    assert sum(a.answer == b.answer for a, b in zip(theirs, ours, strict=True)) > 0.99 * len(ours)
    with Image.open(ours[0].image) as picture:
        assert picture.size == (96, 96)


def test_the_truth_scores_the_most_that_gqa_gives(exam):
    folder, _ = exam
    attention = {name: np.full((4, 4), 1 / 16) for name in truths(exam)}
    scores = gqa_metric.measure(truths(exam), folder, attention=attention)
    distribution, grounding = scores.figures["distribution"], scores.figures["grounding"]
    assert distribution == 0
    assert 0 < grounding < 100
    rest = {name: value for name, value in scores.figures.items() if name not in ("distribution", "grounding")}
    assert set(rest.values()) == {100.0}
    assert {"consistency", "validity", "plausibility", "open", "binary"} <= set(rest)
    assert not scores.absent


def test_wrong_answers_lower_every_figure_of_gqa(exam):
    folder, _ = exam
    wrong = dict.fromkeys(truths(exam), "purple")
    scores = gqa_metric.measure(wrong, folder)
    assert scores.figures["accuracy"] < 5
    assert scores.figures["validity"] < 50
    assert scores.figures["plausibility"] < scores.figures["validity"]
    assert scores.figures["distribution"] > 0


def test_the_truth_scores_nearly_all_that_vqa_gives_since_people_err(exam):
    folder, _ = exam
    scores = vqa_metric.measure(truths(exam), folder)
    assert 99 < scores.figures["overall"] <= 100
    assert not scores.absent
    said = [answer for row in vqa_v2.annotations(folder)[1].values() for answer in row.answers]
    share = np.mean([answer.answer_confidence == "maybe" for answer in said])
    assert 0.08 < share < 0.12
    truth = truths(exam)
    rows = vqa_v2.annotations(folder)[1].values()
    assert all(
        (answer.answer == truth[str(row.question_id)]) == (answer.answer_confidence == "yes")
        for row in rows
        for answer in row.answers
    )
    # who answers as one of the people does errs as often as they
    first = {str(row.question_id): row.answers[0].answer for row in rows}
    assert 85 < vqa_metric.measure(first, folder).figures["overall"] < 97


def test_without_doubt_all_ten_people_agree(scenes, tmp_path):
    synthetic.write(scenes[:3], tmp_path, "train", Rules(doubt=0))
    rows = vqa_v2.annotations(tmp_path)[1].values()
    assert {len({said.answer for said in row.answers}) for row in rows} == {1}


def test_rows_have_every_key_that_the_published_files_have(exam):
    folder, told = exam
    rows = json.loads(told.gqa.read_text())
    keys = "annotations answer entailed equivalent fullAnswer groups imageId isBalanced question semantic semanticStr types"
    assert {tuple(sorted(row)) for row in rows.values()} == {tuple(keys.split())}
    for name, row in rows.items():
        assert name not in row["entailed"]
        assert name in row["equivalent"]
        assert set(row["equivalent"]) - {name} <= set(row["entailed"])
        assert row["fullAnswer"][0].isupper()
        assert row["types"]["structural"] in gqa.STRUCTURAL
        assert row["types"]["semantic"] in gqa.SEMANTIC
        for n, step in enumerate(row["semantic"]):
            assert all(0 <= before < n for before in step["dependencies"])
    asked, answered = (json.loads(file.read_text()) for file in (told.vqa, folder / "v2_world_test_annotations.json"))
    assert set(asked) == {"info", "task_type", "data_type", "data_subtype", "license", "questions"}
    assert set(asked) - {"questions"} == set(answered) - {"annotations"}
    assert set(asked["questions"][0]) == {"image_id", "question", "question_id"}
    keys = "answer_type answers image_id multiple_choice_answer question_id question_type"
    assert {tuple(sorted(row)) for row in answered["annotations"]} == {tuple(keys.split())}
    assert [said["answer_id"] for said in answered["annotations"][0]["answers"]] == list(range(1, 11))


def test_choices_allow_what_can_be_and_find_plausible_what_is_somewhere(exam):
    folder, told = exam
    rows, choices = gqa.questions(folder)[1], gqa.choices(told.gqa)
    assert set(choices) == set(rows)
    for name, row in rows.items():
        assert row.answer in choices[name].plausible
        assert set(choices[name].plausible) <= set(choices[name].valid)
    apart = [name for name in rows if choices[name].valid != choices[name].plausible]
    assert apart
    assert all(rows[name].types.structural == "query" for name in apart)


def test_scene_graphs_hold_what_programs_and_words_point_at(exam, scenes):
    folder, told = exam
    graphs = gqa.scene_graphs(told.gqa)
    assert len(graphs) == SCENES
    pointed = 0
    for row in gqa.questions(folder)[1].values():
        things = graphs[row.image_id].objects
        for place, thing in {**row.annotations.question, **row.annotations.answer}.items():
            start, _, end = place.partition(":")
            said = row.question.split()[int(start) : int(end or int(start) + 1)]
            pointed += things[thing].name.split()[0][:3].lower() == said[0][:3].lower() if said else 0
    assert pointed > 200
    for graph, scene in zip(graphs.values(), scenes, strict=True):
        assert [thing.attributes for thing in graph.objects.values()] == [
            [thing.colour] if thing.colour else [] for thing in scene.instances
        ]


def test_relations_of_a_scene_graph_are_those_of_the_boxes(exam):
    for graph in gqa.scene_graphs(exam[1].gqa).values():
        for thing in graph.objects.values():
            for relation in thing.relations:
                other = graph.objects[relation.object]
                ahead = {
                    "to the left of": (other.x + other.w / 2) - (thing.x + thing.w / 2),
                    "to the right of": (thing.x + thing.w / 2) - (other.x + other.w / 2),
                    "above": (other.y + other.h / 2) - (thing.y + thing.h / 2),
                    "below": (thing.y + thing.h / 2) - (other.y + other.h / 2),
                }
                assert ahead[relation.name] > 0


def test_questions_are_asked_plainly_and_yes_comes_as_often_as_no(exam):
    rows = gqa.questions(exam[0])[1].values()
    assert not any(word in row.question for row in rows for word in ("surely", "usually", "isn't"))
    answers = Counter(row.answer for row in rows if row.types.structural == "verify")
    assert 0.35 < answers["yes"] / answers.total() < 0.65


def test_the_same_scenes_and_seed_give_the_same_bytes_and_another_seed_others(scenes, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        synthetic.write(scenes[:5], tmp_path / name, "train", Rules(seed=seed))
    for file in (tmp_path / "a").glob("*.json"):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
        if "sceneGraphs" not in file.name:
            assert file.read_bytes() != (tmp_path / "c" / file.name).read_bytes()


def test_train_and_test_may_lie_in_one_folder(scenes, tmp_path):
    train = synthetic.write(scenes[:6], tmp_path, "train")
    test = synthetic.write(scenes[6:9], tmp_path, "test")
    refused = Refusals()
    for told, stem in ((train, "COCO_train_"), (test, "COCO_test_")):
        for found in (list(vqa_v2.examples(told.vqa, refused)), list(gqa.examples(told.gqa, refused))):
            assert len(found) == told.questions
            assert all(example.image.name.startswith(stem) for example in found)
        answers = {example.question_id: example.answer for example in gqa.examples(told.gqa, refused)}
        assert gqa_metric.measure(answers, told.gqa).figures["validity"] == 100
        assert vqa_metric.measure(answers, told.vqa).figures["overall"] > 98
    assert not refused.records


@pytest.mark.parametrize(
    ("split", "rules", "said"),
    [
        ("../x", Rules(), "names no split"),
        ("train", Rules(families=("pose",)), "no GQA program for pose; there are: colour, count"),
        ("train", Rules(per_scene=1000), "1000 questions an image"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(tmp_path, split, rules, said):
    with pytest.raises(BadInput, match=said):
        synthetic.write([], tmp_path, split, rules)


def test_a_scene_without_an_image_is_refused(kitchen, tmp_path):
    with pytest.raises(BadInput, match="scene world/1: there is no image file"):
        synthetic.write([kitchen], tmp_path, "train")


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        synthetic.write([], tmp_path / "file", "train")


def test_what_is_entailed_holds_in_every_scene_with_that_answer(scenes):
    """Of one question with one answer, all scenes give the entailed question the same answer, or it is not entailed."""
    answers, entailed, found = defaultdict(set), set(), Counter()
    for scene in scenes:
        facts = [fact for fact in synthetic._facts(scene, EVERY) if fact.truth.known]
        for first in facts:
            for second in facts:
                key = first.question, first.truth.answer, second.question
                answers[key].add(second.truth.answer)
                if first is not second and gqa_programs.follows(first, second):
                    entailed.add(key)
                    found[first.family, second.family] += 1
    assert all(len(answers[key]) == 1 for key in entailed)
    assert set(found) >= {
        ("existence", "existence"),
        ("colour", "existence"),
        ("colour", "colour"),
        ("count", "count"),
        ("count", "existence"),
        ("relation", "existence"),
        ("size", "existence"),
    }


def test_every_family_with_a_program_has_one_for_each_of_its_sentences(scenes):
    asked = {(fact.family, fact.form) for scene in scenes for fact in synthetic._facts(scene, EVERY)}
    assert asked == set(gqa_programs.FORMS)
