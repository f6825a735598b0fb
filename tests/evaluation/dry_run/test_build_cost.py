"""What a dry run says of a build: scenes are counted, questions are expected as a real build asks them, and the rest is arithmetic."""

import importlib.util
import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pstgen import build as road
from pstgen.cli import main
from pstgen.core.config import build_config
from pstgen.core.records import BadInput, Unavailable
from pstgen.evaluation.dry_run import build_cost, model_size, rates
from pstgen.evaluation.dry_run.device import Device
from pstgen.evaluation.dry_run.number import Number
from pstgen.models import asking
from pstgen.models.flops import count_flops
from pstgen.models.huggingface import Model
from pstgen.models.judges import endpoint
from pstgen.models.parsing import LETTERS

photographs_there = pytest.mark.skipif("PSTGEN_COCO_ROOT" not in os.environ, reason="needs COCO photographs")
WORLD = {
    "source": "world",
    "scenes": 110,
    "size": 64,
    "seed": 3,
    "families": ["existence", "colour", "count", "pointing"],
    "judges": ["prior"],
    "candidates": 40,
    "wordings": 2,
    "vlm": "none",
}
SIZE = (64, 48)


def plan_of(device=None, **settings):
    """The dry run's plan, and its figures by name."""
    plan = road.dry_run(road.with_defaults(build_config(**settings)), device=device)
    return plan, {(row.part, row.name): row.number for row in plan["cost"]}


def expected(number):
    return number.expected if isinstance(number, Number) else number


def described(folder, *, way=None, sizes=(SIZE,)):
    judges = build_config(vlm=str(folder), ask=way).judges
    return model_size.describe(str(folder), "image-text-to-text", judges, rates.read().questions, sizes)


# ------------------------------------------------------------------------------------------------------ questions


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A build of the world of a size and seed that were not measured, judged by the words' model: its report, and its verdicts."""
    folder = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        report = road.build(road.with_defaults(build_config(**WORLD, out=folder / "pst")))
        with sqlite3.connect(folder / "pstgen" / "verdicts" / "journal-1.sqlite") as journal:
            (verdicts,) = journal.execute("SELECT count(*) FROM verdicts").fetchone()
    return {name: counted.total() for name, counted in report.stations.items()}, verdicts


def test_scenes_are_those_of_a_real_build(real, tmp_path):
    plan, _ = plan_of(**WORLD, out=tmp_path / "pst")
    stations, _ = real
    assert plan["scenes for the prior"] == stations["scenes for the prior"]
    assert plan["scenes for items"] == stations["scenes for items"]


def test_pairs_and_questions_are_within_a_factor_of_two_of_a_real_build(real, tmp_path):
    _, figures = plan_of(**WORLD, out=tmp_path / "pst")
    stations, verdicts = real
    found = {
        "candidates": (figures["pairs", "candidate pairs"], stations["candidate pairs"]),
        "questions": (figures["--lm", "questions to lm"], verdicts),
    }
    for name, (number, real_number) in found.items():
        assert real_number / 2 < number.expected < 2 * real_number, name
        assert real_number <= number.most, name
    assert stations["kept"] <= figures["pairs", "pairs kept"].most


@photographs_there
def test_pairs_of_photographs_are_within_a_factor_of_two_of_those_that_are_found(tmp_path):
    settings = {"source": "coco", "limit": 120, "lm": "none", "vlm": "none", "out": tmp_path / "pst"}
    _, figures = plan_of(**settings)
    run = road.prepare(road.with_defaults(build_config(**settings)), tmp_path)
    found = len(road.propose_pairs(road.fit_prior(road.count_facts(run), run), run))
    assert found / 2 < figures["pairs", "candidate pairs"].expected < 2 * found


@photographs_there
def test_photographs_are_counted_in_the_annotation_files(tmp_path):
    listed = {}
    for split in ("val2017", "train2017"):
        file = Path(os.environ["PSTGEN_COCO_ROOT"]) / "annotations" / f"instances_{split}.json"
        listed[split] = len(json.loads(file.read_bytes())["images"])
    plan, _ = plan_of(source="coco", out=tmp_path / "pst")
    assert plan["scenes for items"] == listed["val2017"]
    assert plan["scenes for the prior"] == listed["train2017"]


def test_no_more_candidates_are_expected_than_a_family_may_have():
    config = build_config(source="world", candidates=7)
    asked = rates.asked(config, ["existence", "count"], 0, 1000)
    assert asked.candidates == Number(14, 14)


def test_a_family_that_was_never_measured_is_named():
    assert rates.asked(build_config(source="world"), ["existence", "taste"], 0, 100).unmeasured == ("taste",)


def test_a_build_larger_than_any_that_was_measured_says_so():
    largest = rates.read().world[0].points[-1].scenes
    assert rates.asked(build_config(source="world"), ["count"], 0, largest).beyond == 0
    assert rates.asked(build_config(source="world"), ["count"], 0, largest + 1).beyond == largest


def test_the_questions_of_a_seeing_model_are_its_items_and_those_it_is_asked_again():
    asked = rates.asked(build_config(source="world", judges=["vlm"]), ["existence", "count"], 0, 200)
    items = asked.items.expected
    assert asked.judges["vlm/seeing"].expected == items + 2 * rates.compared(items)


@pytest.mark.parametrize(("items", "again"), [(0, 0), (150, 150), (200, 200), (254, 127), (1000, 200)])
def test_ways_of_asking_are_compared_on_two_hundred_items_at_most(items, again):
    assert rates.compared(items) == again


# --------------------------------------------------------------------------------------------------------- models


def test_parameters_are_those_of_the_loaded_model(llava):
    size = described(llava.name).parameters
    assert size.total == sum(weight.numel() for weight in llava.model.parameters())
    table = llava.model.get_input_embeddings().weight.numel()
    assert size.language + size.vision == size.total - 2 * table  # LLaVA's output has a matrix of its own


def test_tokens_are_those_that_the_model_is_given(llava):
    question, options = rates.read().questions[0]
    text = llava.chat.text(asking.lettered(question, options), with_image=True)
    given = llava.chat.encode([text], [np.zeros((48, 64, 3), np.uint8)])["input_ids"].shape[1]
    tokens = described(llava.name, way="letters").seen
    assert tokens.image == 16  # 4 x 4 patches
    rows = [
        len(llava.chat.ids(llava.chat.text(asking.lettered(*asked), with_image=True))) + 15
        for asked in rates.read().questions
    ]
    assert rows[0] == given
    assert tokens.before + tokens.own + tokens.image == pytest.approx(sum(rows) / len(rows))


def test_flops_are_those_that_are_counted_while_a_model_runs(tmp_path):
    """Of a LLaVA whose layers outweigh attention and the output's matrix, which are left out."""
    folder = wide(tmp_path / "llava")
    model, known = Model(str(folder), "cpu"), described(folder, way="letters")
    questions = [(text, order) for text, options in rates.read().questions for order in (options, options[::-1])]
    pictures = [np.full((48, 64, 3), n, np.uint8) for n in range(len(questions) // 2) for _ in range(2)]
    pictures[1::2] = pictures[::2]  # both orders are about one and the same picture
    prompts = [asking.lettered(*each) for each in questions]
    letters = [tuple(LETTERS[: len(options)]) for _, options in questions]
    counted = count_flops(lambda: model.score_by("shared", prompts, letters, pictures))
    load = model_size.load(known, "vlm/seeing", 32)
    assert len(questions) / 2 * model_size.flops(known.parameters, load) == pytest.approx(counted, rel=0.2)


def wide(folder):
    """A LLaVA of 256 and 128 wide layers."""
    from transformers import AutoProcessor, LlavaConfig, LlavaForConditionalGeneration

    spec = importlib.util.spec_from_file_location("tiny_llava", Path(__file__).parents[2] / "tiny_llava.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build(folder)
    processor, config = AutoProcessor.from_pretrained(folder), LlavaConfig.from_pretrained(folder)
    config.text_config.hidden_size, config.text_config.intermediate_size = 256, 1024
    config.vision_config.hidden_size, config.vision_config.intermediate_size = 128, 512
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def test_a_folder_without_weights_is_enough(tiny_llava, tmp_path):
    for file in tiny_llava.iterdir():
        if file.suffix in {".json", ".jinja"}:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    assert described(tmp_path).parameters == described(tiny_llava).parameters


def test_no_weight_is_read(tiny_llava, monkeypatch, tmp_path):
    monkeypatch.setattr(model_size.loading, "load", lambda *_: pytest.fail("a model was opened"))
    plan, figures = plan_of(source="world", scenes=60, vlm=str(tiny_llava), lm="none", out=tmp_path / "pst")
    assert figures["--vlm", "parameters"] > 0
    assert plan["judges"]["vlm/seeing"] == f"{tiny_llava}, not opened"


def test_by_letters_there_are_two_prompts_and_by_options_one(tiny_llava):
    assert [described(tiny_llava, way=way).prompts for way in ("letters", "options", "generate")] == [2, 1, 1]


def test_a_grey_picture_is_encoded_once_for_many_questions_and_an_own_one_for_each(tiny_llava):
    known = described(tiny_llava, way="options")
    patches = {judge: model_size.load(known, judge, 32).patches for judge in rates.VIEWS["vlm"]}
    assert patches["vlm/no-image"] == 0
    assert patches["vlm/grey-image"] == pytest.approx(16 / 32)
    assert patches["vlm/other-image"] == pytest.approx(4 * 16 / 32)
    assert patches["vlm/seeing"] == 16


def test_a_hub_model_that_is_not_here_is_said_not_to_be_known(tmp_path):
    _, figures = plan_of(source="world", scenes=60, vlm="nobody/no-such-model", lm="none", out=tmp_path / "pst")
    assert figures["--vlm", "parameters, tokens, FLOPs"] is None


def test_a_folder_that_is_no_model_is_refused_in_one_line(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(Unavailable) as error:
        described(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


# ---------------------------------------------------------------------------------------------- hours and money


def test_hours_are_flops_by_the_devices_peak_and_what_is_reached_of_it(tiny_llava, tmp_path):
    device = Device(peak_tflops=2.0, utilization=0.5, price_hour=3.0)
    settings = {"source": "world", "scenes": 60, "vlm": str(tiny_llava), "lm": "none", "out": tmp_path / "pst"}
    _, figures = plan_of(device, **settings)
    flops, seconds = figures["--vlm", "FLOPs"], figures["device", "time of one device"]
    assert seconds.expected == pytest.approx(flops.expected / 1e12)
    assert figures["device", "price"].most == pytest.approx(3 * seconds.most / 3600)


def test_hours_follow_from_a_measured_rate_even_of_a_model_that_is_not_known(tmp_path):
    settings = {"source": "world", "scenes": 60, "vlm": "nobody/no-such-model", "lm": "none", "out": tmp_path / "pst"}
    _, figures = plan_of(Device(rate=10.0), **settings)
    questions = sum(number.expected for (_, name), number in figures.items() if name.startswith("questions to"))
    assert figures["device", "time of one device"].expected == pytest.approx(questions / 10)


def test_without_a_device_the_hours_are_not_known(tiny_llava, tmp_path):
    _, figures = plan_of(source="world", scenes=60, vlm=str(tiny_llava), lm="none", out=tmp_path / "pst")
    assert figures["device", "time of one device"] is None


def test_a_server_is_not_asked_and_costs_requests_tokens_and_money(tmp_path):
    server = {"vlm": "http://127.0.0.1:9/v1", "vlm_name": "served", "lm": "none", "price_in": 2.0, "per_second": 4.0}
    _, figures = plan_of(source="world", scenes=60, size=56, **server, out=tmp_path / "pst")
    questions = sum(number.expected for (_, name), number in figures.items() if name.startswith("questions to"))
    requests, sent = figures["--vlm", "requests"], figures["--vlm", "tokens sent"]
    assert requests.expected == pytest.approx(2 * questions)
    assert figures["--vlm", "price"].expected == pytest.approx(2e-6 * sent.expected)
    assert figures["--vlm", "time at --per-second"].expected == pytest.approx(requests.expected / 4)
    assert ("device", "time of one device") not in figures


def test_a_server_without_a_name_is_refused_as_a_build_refuses_it(tmp_path):
    settings = {"source": "world", "scenes": 60, "vlm": "http://127.0.0.1:9/v1", "lm": "none", "out": tmp_path / "pst"}
    with pytest.raises(BadInput, match="--vlm-name"):
        plan_of(**settings)
    with pytest.raises(BadInput, match="--vlm-name"):
        endpoint.open(road.with_defaults(build_config(**settings)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--dry-run", "--rate", "5", "--peak-tflops", "5"], "leave --peak-tflops"),
        (["--dry-run", "--utilization", "0.4"], "which is missing"),
        (["--rate", "5"], "goes with --dry-run"),
        (["--dry-run", "--shard", "1/2"], "whole build"),
    ],
)
def test_what_does_not_go_together_is_one_line(options, said, tmp_path):
    words = ["build", "--source", "world", "--scenes", "60", "--out", str(tmp_path / "pst"), "-q", *options]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert len(result.output.splitlines()) == 1


def test_every_figure_says_where_it_is_from(tiny_llava, tmp_path):
    plan, _ = plan_of(Device(peak_tflops=1.0), source="world", scenes=60, vlm=str(tiny_llava), out=tmp_path / "pst")
    kinds = {row.basis.partition(":")[0].partition(",")[0] for row in plan["cost"]}
    assert kinds <= {"counted", "measured", "computed", "assumed", "given", "not known"}


def test_the_sizes_of_pictures_are_read_from_their_files(photographs, tmp_path):
    photographs(tmp_path, "val2017", range(1, 40))
    config = road.with_defaults(build_config(source="coco", root=tmp_path, prior_base="none"))
    with road.scratch.folder("pstgen-") as work:
        run = road.prepare(config, work)
    assert set(build_cost._sizes(config, run.parts)) == {(120, 90)}
