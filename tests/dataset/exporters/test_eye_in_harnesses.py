"""A harness that asks pstgen-eye, or scores its answers, prints what `pstgen eval` prints.

The harnesses stand in environments of their own, which need no pstgen:

    python -m venv /opt/lmms && /opt/lmms/bin/pip install lmms-eval decord "filelock<3.20"
    python -m venv /opt/vlme && /opt/vlme/bin/pip install ms-vlmeval
    PSTGEN_LMMS_EVAL=/opt/lmms/bin/python PSTGEN_VLMEVAL=/opt/vlme/bin/python pytest -m slow tests/dataset/exporters
"""

import csv
import json
import re
from importlib.resources import files

import pytest

import pstgen
from pstgen.dataset import exporters, store
from pstgen.dataset.exporters import lmms_eval, vlmevalkit
from pstgen.models.parsing import LETTERS

pytestmark = pytest.mark.slow
EYE = files("pstgen") / "models" / "weights" / "eye"
METRICS = {"pst_pair": "pairs", "pst_item": "items", "pst_lure_rate": "lure_rate", "pst_invalid_rate": "invalid_rate"}


@pytest.fixture(scope="module")
def result(small_set):
    """What `pstgen eval` measures of the eye, asked for an answer in words of its own."""
    return pstgen.evaluate(small_set, model="eye", ask="generate", blind=False, neutral=False)


@pytest.fixture(scope="module")
def whole(result):
    """Its figures over the whole set; the eye wins pairs, and not all of them."""
    (figures,) = (group.figures for group in result.groups if group.kind == "all")
    assert 0.2 < figures["pairs"].share < 1
    return figures


def exported(small_set, folder, name):
    folder.mkdir()
    exporters.load(name).write(store.open(small_set), folder)
    return folder


def test_lmms_eval_with_the_eye_inside_prints_what_pstgen_eval_prints(small_set, result, whole, elsewhere, tmp_path):
    """Its own class for LLaVA loads the eye's folder and asks it, with a batch of one, in the task without letters."""
    folder, out = exported(small_set, tmp_path / "task", "lmms_eval"), tmp_path / "out"
    printed = elsewhere(
        "lmms_eval", "-m", "lmms_eval", "--model", "llava_hf",
        "--model_args", f"pretrained={EYE},device=cpu,device_map=cpu,dtype=float32", "--batch_size", 1,
        "--include_path", ".", "--tasks", lmms_eval.IN_WORDS, "--log_samples", "--output_path", out,
        folder=folder, cache=tmp_path / "cache",
    )  # fmt: skip
    table = dict(re.findall(r"\|(pst_\w+) *\|[^|]*\|([\d.]+)\|", printed))
    assert table == {metric: f"{whole[ours].share:.4f}" for metric, ours in METRICS.items()}
    (log,) = out.rglob("*_samples_*.jsonl")
    answers = {row["item_id"]: row["filtered_resps"].strip() for row in map(json.loads, log.read_text().splitlines())}
    assert answers.keys() == result.answers.keys()
    assert all(
        answers[name] == ours for name, ours in result.answers.items() if ours
    )  # "" is an answer that names none
    measured = pstgen.evaluate(small_set, predictions=log).groups
    assert [group.figures for group in measured if group.kind == "all"] == [whole]


def test_vlmevalkit_scores_the_answers_of_the_eye_as_pstgen_eval_does(small_set, result, elsewhere, tmp_path):
    """The answers stand in a table as VLMEvalKit would have written it; its own command scores it, by exact matching."""
    data, work, name = exported(small_set, tmp_path / "data", "vlmevalkit"), tmp_path / "work", vlmevalkit.NAME
    given = {item.item_id: letter(item, result.answers[item.item_id]) for item in store.open(small_set).items()}
    predictions = work / "eye" / f"eye_{name}.tsv"
    predictions.parent.mkdir(parents=True)
    with (data / f"{name}.tsv").open(newline="", encoding="utf-8") as source, predictions.open("w", newline="") as file:
        rows = [{k: row[k] for k in row if k != "image"} for row in csv.DictReader(source, delimiter="\t")]
        table = csv.DictWriter(file, [*rows[0], "prediction"], delimiter="\t")
        table.writeheader()
        table.writerows({**row, "prediction": given[row["item_id"]]} for row in rows)
    elsewhere(
        "vlmeval", "-m", "vlmeval", "--data", name, "--model", "eye", "--mode", "eval", "--judge", "exact_matching",
        "--work-dir", work, folder=tmp_path, cache=tmp_path / "cache", LMUData=str(data), PRED_FORMAT="tsv",
    )  # fmt: skip
    with (work / "eye" / f"eye_{name}_acc.csv").open(newline="") as file:
        (scored,) = csv.DictReader(file)
    for group in result.groups:
        kinds = {"all": "Overall", "family": group.name, "frame": group.name}
        if group.kind in kinds:
            assert float(scored[kinds[group.kind]]) == group.figures["pairs"].share


def letter(item, answer):
    return LETTERS[item.options.index(answer)] if answer else ""
