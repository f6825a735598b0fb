"""Scenes of the world as benchmarks in both official formats, read and scored by our own readers and metrics."""

import json
from collections import Counter, defaultdict

import numpy as np
import pytest
from PIL import Image

from pstgen.core.records import BadInput, Unavailable
from pstgen.core.report import Refusals
from pstgen.evaluation.metrics import gqa as gqa_metric
from pstgen.evaluation.metrics import vqa as vqa_metric
from pstgen.questions import families
from pstgen.questions.benchmarks import gqa, gqa_programs, synthetic, vqa_v2
from pstgen.questions.benchmarks.synthetic import Rules
from pstgen.scenes.world.plan import plan
from pstgen.scenes.world.scenes import save
from pstgen.scenes.world.scenes import scene as drawn

SCENES = 40


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder, scenes = tmp_path_factory.mktemp("world"), []
    for n in range(SCENES):
        image, depth = folder / f"{n}.png", folder / f"{n}.depth.png"
        scene, drawing = drawn(plan(3, n, 0.8), 96, image, depth)
        save(drawing, image, depth)
        scenes.append(scene)
    return scenes


@pytest.fixture(scope="module")
def benchmark(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    return folder, synthetic.write(scenes, folder, "test", Rules(per_scene=12))


def truths(benchmark):
    return {name: row.answer for name, row in gqa.questions(benchmark[1].gqa)[1].items()}


def test_both_formats_hold_the_same_questions_images_and_answers(benchmark):
    folder, written = benchmark
    refused = Refusals()
    of_vqa, of_gqa = list(vqa_v2.examples(folder, refused)), list(gqa.examples(folder, refused))
    assert not refused.records
    assert (written.images, written.questions) == (SCENES, len(of_gqa))
    assert [(e.question_id, e.image, e.question) for e in of_vqa] == [
        (e.question_id, e.image, e.question) for e in of_gqa
    ]
    assert sum(a.answer == b.answer for a, b in zip(of_vqa, of_gqa, strict=True)) > 0.99 * len(of_gqa)
    with Image.open(of_gqa[0].image) as picture:
        assert picture.size == (96, 96)


def test_the_truth_gets_the_highest_scores_of_gqa(benchmark):
    folder, _ = benchmark
    attention = {name: np.full((4, 4), 1 / 16) for name in truths(benchmark)}
    scores = gqa_metric.score(truths(benchmark), folder, attention=attention)
    distribution, grounding = scores.figures["distribution"], scores.figures["grounding"]
    assert distribution == 0
    assert 0 < grounding < 100
    rest = {name: value for name, value in scores.figures.items() if name not in ("distribution", "grounding")}
    assert set(rest.values()) == {100.0}
    assert {"consistency", "validity", "plausibility", "open", "binary"} <= set(rest)
    assert not scores.absent


def test_wrong_answers_lower_every_figure_of_gqa(benchmark):
    folder, _ = benchmark
    wrong = dict.fromkeys(truths(benchmark), "purple")
    scores = gqa_metric.score(wrong, folder)
    assert scores.figures["accuracy"] < 5
    assert scores.figures["validity"] < 50
    assert scores.figures["plausibility"] < scores.figures["validity"]
    assert scores.figures["distribution"] > 0


def test_the_truth_scores_nearly_100_by_vqa_since_annotators_err(benchmark):
    folder, _ = benchmark
    scores = vqa_metric.score(truths(benchmark), folder)
    assert 99 < scores.figures["overall"] <= 100
    assert not scores.absent
    answers = [answer for row in vqa_v2.annotations(folder)[1].values() for answer in row.answers]
    share = np.mean([answer.answer_confidence == "maybe" for answer in answers])
    assert 0.08 < share < 0.12
    truth = truths(benchmark)
    rows = vqa_v2.annotations(folder)[1].values()
    assert all(
        (answer.answer == truth[str(row.question_id)]) == (answer.answer_confidence == "yes")
        for row in rows
        for answer in row.answers
    )
    # a system that answers as one of the annotators errs as often as they do
    first = {str(row.question_id): row.answers[0].answer for row in rows}
    assert 85 < vqa_metric.score(first, folder).figures["overall"] < 97


def test_without_errors_all_ten_annotators_agree(scenes, tmp_path):
    synthetic.write(scenes[:3], tmp_path, "train", Rules(error_rate=0))
    rows = vqa_v2.annotations(tmp_path)[1].values()
    assert {len({answer.answer for answer in row.answers}) for row in rows} == {1}


def test_rows_have_every_key_that_the_published_files_have(benchmark):
    folder, written = benchmark
    rows = json.loads(written.gqa.read_text())
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
    questions, annotations = (
        json.loads(file.read_text()) for file in (written.vqa, folder / "v2_world_test_annotations.json")
    )
    assert set(questions) == {"info", "task_type", "data_type", "data_subtype", "license", "questions"}
    assert set(questions) - {"questions"} == set(annotations) - {"annotations"}
    assert set(questions["questions"][0]) == {"image_id", "question", "question_id"}
    keys = "answer_type answers image_id multiple_choice_answer question_id question_type"
    assert {tuple(sorted(row)) for row in annotations["annotations"]} == {tuple(keys.split())}
    assert [answer["answer_id"] for answer in annotations["annotations"][0]["answers"]] == list(range(1, 11))


def test_valid_choices_are_all_that_can_be_and_plausible_ones_what_is_true_in_some_scene(benchmark):
    folder, written = benchmark
    rows, choices = gqa.questions(folder)[1], gqa.choices(written.gqa)
    assert set(choices) == set(rows)
    for name, row in rows.items():
        assert row.answer in choices[name].plausible
        assert set(choices[name].plausible) <= set(choices[name].valid)
    apart = [name for name in rows if choices[name].valid != choices[name].plausible]
    assert apart
    assert all(rows[name].types.structural == "query" for name in apart)


def test_scene_graphs_hold_what_programs_and_words_point_at(benchmark, scenes):
    folder, written = benchmark
    graphs = gqa.scene_graphs(written.gqa)
    assert len(graphs) == SCENES
    pointed = 0
    for row in gqa.questions(folder)[1].values():
        things = graphs[row.image_id].objects
        for place, thing in {**row.annotations.question, **row.annotations.answer}.items():
            start, _, end = place.partition(":")
            words = row.question.split()[int(start) : int(end or int(start) + 1)]
            pointed += things[thing].name.split()[0][:3].lower() == words[0][:3].lower() if words else 0
    assert pointed > 200
    for graph, scene in zip(graphs.values(), scenes, strict=True):
        assert [thing.attributes for thing in graph.objects.values()] == [
            [thing.colour] if thing.colour else [] for thing in scene.instances
        ]


def test_relations_of_a_scene_graph_are_those_of_the_boxes(benchmark):
    for graph in gqa.scene_graphs(benchmark[1].gqa).values():
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


def test_questions_are_asked_plainly_and_yes_comes_as_often_as_no(benchmark):
    rows = gqa.questions(benchmark[0])[1].values()
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


def test_train_and_test_may_be_in_the_same_folder(scenes, tmp_path):
    train = synthetic.write(scenes[:6], tmp_path, "train")
    test = synthetic.write(scenes[6:9], tmp_path, "test")
    refused = Refusals()
    for written, stem in ((train, "COCO_train_"), (test, "COCO_test_")):
        for examples in (list(vqa_v2.examples(written.vqa, refused)), list(gqa.examples(written.gqa, refused))):
            assert len(examples) == written.questions
            assert all(example.image.name.startswith(stem) for example in examples)
        answers = {example.question_id: example.answer for example in gqa.examples(written.gqa, refused)}
        assert gqa_metric.score(answers, written.gqa).figures["validity"] == 100
        assert vqa_metric.score(answers, written.vqa).figures["overall"] > 98
    assert not refused.records


@pytest.mark.parametrize(
    ("split", "rules", "message"),
    [
        ("../x", Rules(), "is not a split's name"),
        ("train", Rules(families=("pose",)), "no GQA program for pose; there are: colour, count"),
        ("train", Rules(per_scene=1000), "1000 questions an image"),
    ],
)
def test_rules_that_cannot_be_followed_are_refused(tmp_path, split, rules, message):
    with pytest.raises(BadInput, match=message):
        synthetic.write([], tmp_path, split, rules)


def test_a_scene_without_an_image_is_refused(kitchen, tmp_path):
    with pytest.raises(BadInput, match="scene world/1: there is no image file"):
        synthetic.write([kitchen], tmp_path, "train")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        synthetic.write([], tmp_path / "file", "train")


def test_what_is_entailed_holds_in_every_scene_with_that_answer(scenes):
    """Of one question with one answer, all scenes give the entailed question the same answer, or it is not entailed."""
    answers, entailed, by_families = defaultdict(set), set(), Counter()
    for scene in scenes:
        facts = [fact for fact in synthetic._facts(scene, ()) if fact.truth.known]
        for first in facts:
            for second in facts:
                key = first.question, first.truth.answer, second.question
                answers[key].add(second.truth.answer)
                if first is not second and gqa_programs.entails(first, second):
                    entailed.add(key)
                    by_families[first.family, second.family] += 1
    assert all(len(answers[key]) == 1 for key in entailed)
    assert set(by_families) >= {
        ("existence", "existence"),
        ("colour", "existence"),
        ("colour", "colour"),
        ("count", "count"),
        ("count", "existence"),
        ("relation", "existence"),
        ("size", "existence"),
    }


def test_every_program_is_of_a_sentence_and_sentences_without_one_are_left_out(scenes):
    """GQA chooses between two things: where the one is from the other, of four sides, it has no program for."""
    supported = gqa_programs.supported_families()
    forms = {(fact.family, fact.form) for scene in scenes for fact in synthetic._facts(scene, ())}
    assert forms == {(name, form) for name in supported for form in families.gqa_forms(name)}
    asked = {(name, fact.form) for scene in scenes for name in supported for fact in families.load(name).ask(scene)}
    assert asked - forms == {("relation", "where")}
