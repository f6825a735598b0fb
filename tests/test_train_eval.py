"""The whole road of train-eval with a recipe of a few steps, as it is typed."""

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from pstgen import train_eval
from pstgen.cli import main
from pstgen.core.records import BadInput
from pstgen.dataset import store
from pstgen.evaluation import data, results
from pstgen.evaluation.inference import EvalJob, JobEvaluation
from pstgen.models.answerer import Answerer, Query
from pstgen.models.huggingface import Model
from pstgen.training import recipe as recipes
from pstgen.training.recipe import Recipe

RECIPE = Path(__file__).with_name("few_steps.yaml").read_text()
SYSTEMS = ("standard", "perceptual_reward", "agent", "cascade")


def typed(*words):
    return CliRunner().invoke(main, ["train-eval", *map(str, words)])


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    file = tmp_path_factory.mktemp("recipe") / "few.yaml"
    file.write_text(RECIPE)
    return file


@pytest.fixture(scope="module")
def ran(recipe, tmp_path_factory):
    """The folder of a run, and what was printed."""
    out = tmp_path_factory.mktemp("run") / "few"
    done = typed("--recipe", recipe, "--out", out, "--systems", ",".join(SYSTEMS))
    assert done.exit_code == 0, done.output
    return out, done.output


def test_every_system_is_in_the_table_and_in_the_files(ran):
    out, printed = ran
    assert {arm.system for arm in results.read(out).arms} == set(SYSTEMS)
    for name in SYSTEMS:
        assert name in printed
    for file in ("report.html", "recipe.json", "plots", "overlays.png", "seed-0/standard/model/README.md"):
        assert (out / file).exists(), file


def test_an_agent_costs_what_its_model_and_its_detector_cost_and_answers_everything(ran):
    arms = {arm.system: arm for arm in results.read(ran[0]).arms}
    assert arms["standard"].flops < arms["agent"].flops < arms["perceptual_reward"].flops
    assert arms["agent"].steps == {"encoder": 2, "joint": 3}
    assert arms["perceptual_reward"].steps == {"encoder": 2, "joint": 3}
    assert len({tuple(sorted(arm.scores["pst"])) for arm in arms.values()}) == 1
    assert {"pst/pair", "vqa/overall", "gqa/accuracy", "cost/p50"} <= set(arms["agent"].figures)
    assert "cost/first" in arms["standard"].figures
    assert "cost/first" in arms["agent"].absent


def test_a_cascade_is_trained_for_as_many_steps_in_all_and_each_of_its_models_is_a_plain_folder(ran):
    out, _ = ran
    arms = {arm.system: arm for arm in results.read(out).arms}
    cascade, standard = arms["cascade"], arms["standard"]
    assert cascade.parameters == 2 * standard.parameters
    assert cascade.steps == {"encoder": 0, "joint": 4}  # two of three steps each, since one and a half is none
    assert cascade.scores["pst"].keys() == standard.scores["pst"].keys()
    for part in ("detector", "colour-reader"):
        assert Answerer(Model(str(out / "seed-0" / "cascade" / part / "model"), "cpu")).answer(
            [Query("q", "Is there a dog?", ("no", "yes"))]
        )
    assert cascade.figures["deployment/calls"] == 1
    assert 1 <= arms["agent"].figures["deployment/calls"] <= 2
    assert arms["agent"].figures["deployment/looks"] == 1
    assert arms["agent"].figures["deployment/gflops"] > cascade.figures["deployment/gflops"] > 0
    assert "several models answer" in cascade.absent["robustness/fgsm/2"]
    assert not any(name.startswith(("attention/", "language/")) for name in cascade.figures)


def test_no_path_of_this_machine_is_in_the_results(ran):
    assert str(ran[0].parent) not in (ran[0] / "results.json").read_text().replace(results.read(ran[0]).command, "")


@pytest.mark.slow
def test_a_resumed_run_trains_nothing_twice(ran, recipe):
    out, _ = ran
    trained = {file: file.stat().st_mtime_ns for file in out.glob("seed-0/**/model.safetensors")}
    figures = {arm.system: arm.figures["pst/pair"] for arm in results.read(out).arms}
    done = typed("--recipe", recipe, "--out", out, "--systems", ",".join(SYSTEMS), "--resume")
    assert done.exit_code == 0, done.output
    assert trained == {file: file.stat().st_mtime_ns for file in out.glob("seed-0/**/model.safetensors")}
    assert figures == {arm.system: arm.figures["pst/pair"] for arm in results.read(out).arms}


def test_a_run_is_not_resumed_unasked_or_by_another_recipe(ran, recipe):
    out, _ = ran
    before = (out / "recipe.json").read_bytes()
    unasked = typed("--recipe", recipe, "--out", out)
    assert (unasked.exit_code, "--resume" in unasked.output) == (2, True)
    other = typed("--recipe", recipe, "--out", out, "--systems", "standard", "--resume")
    assert (other.exit_code, "another recipe" in other.output) == (2, True)
    assert (out / "recipe.json").read_bytes() == before


def test_a_broken_recipe_is_another_recipe_and_what_never_began_is_no_run(tmp_path):
    small, paths = recipes.read("small"), data.paths(tmp_path)
    train_eval.begin(small, paths, tmp_path, resume=False)
    train_eval.begin(recipes.read("medium"), paths, tmp_path, resume=False)
    paths.examples.mkdir()
    (tmp_path / train_eval.RECIPE).write_text("{brok")
    with pytest.raises(BadInput, match=r"another recipe \(see recipe\.json\)"):
        train_eval.begin(small, paths, tmp_path, resume=True)
    assert (tmp_path / train_eval.RECIPE).read_text() == "{brok"


def test_a_dry_run_counts_and_leaves_nothing(recipe, tmp_path):
    done = typed("--recipe", recipe, "--out", tmp_path / "none", "--dry-run", "--systems", "perceptual_reward")
    assert done.exit_code == 0, done.output
    assert "encoder-perception" in done.output
    assert not (tmp_path / "none").exists()


def test_stage_1_alone_leaves_encoders(recipe, tmp_path):
    done = typed(
        "--recipe", recipe, "--out", tmp_path / "encoders", "--stage", "encoder", "--systems", "perceptual_reward"
    )
    assert done.exit_code == 0, done.output
    config = json.loads((tmp_path / "encoders/seed-0/encoder-perception/config.json").read_text())
    assert config["model_type"] == "clip_vision_model"
    assert not (tmp_path / "encoders/seed-0/perceptual_reward").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--systems", "no_such_system"), "no_such_system"),
        (("--recipe", "no-such"), "no-such"),
        (("--pst", "no/such"), "--pst"),
        (("--vqa", "no/such"), "--vqa"),
        (("--encoder", "no-such-encoder"), "no-such-encoder"),
        (("--encoder", "resnet50"), "--stage encoder"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(words, said, recipe, tmp_path):
    done = typed("--recipe", recipe, "--out", tmp_path / "run", *words)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_official_questions_without_images_are_named_before_anything_is_trained(recipe, tmp_path):
    given = tmp_path / "vqa"
    (given / "images").mkdir(parents=True)
    question = {"image_id": 7, "question": "Is it?", "question_id": 70}
    answers = [{"answer": "yes", "answer_confidence": "yes", "answer_id": n} for n in range(1, 11)]
    row = {"image_id": 7, "question_id": 70, "question_type": "is it", "answer_type": "yes/no", "answers": answers}
    row["multiple_choice_answer"] = "yes"
    head = {"data_type": "mscoco", "data_subtype": "val2014"}
    (given / "v2_OpenEnded_mscoco_val2014_questions.json").write_text(json.dumps(head | {"questions": [question]}))
    (given / "v2_mscoco_val2014_annotations.json").write_text(json.dumps(head | {"annotations": [row]}))
    done = typed("--recipe", recipe, "--out", tmp_path / "run", "--vqa", given)
    assert done.exit_code == 2
    assert "question 70" in done.output
    assert not list((tmp_path / "run").glob("seed-*"))


def test_metrics_look_at_whole_pairs_of_every_family(ran):
    out, _ = ran
    job = EvalJob("standard", 0, out, out, None, data.paths(out), Recipe())
    rows = JobEvaluation(job).rows(8)
    items = list(store.open(out / "pst").items())
    pairs, twins = Counter(row.item.pair_id for row in rows), Counter(item.pair_id for item in items)
    assert 8 <= len(rows) <= 11
    assert {row.item.family for row in rows} == {item.family for item in items}
    assert pairs == {name: twins[name] for name in pairs}
