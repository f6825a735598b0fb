"""Twelve items in whole pairs, the same for every run of a stress test, with the maps that the metric measures."""

from collections import Counter
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest

from pstgen.dataset import store
from pstgen.evaluation import inference
from pstgen.evaluation.data import DataPaths
from pstgen.evaluation.inference import EvalJob
from pstgen.evaluation.metrics import Answers
from pstgen.evaluation.report import overlays
from pstgen.training.recipe import Recipe


@pytest.fixture(scope="module")
def pst(small_set):
    return small_set


@pytest.fixture(scope="module")
def jobs(pst, tiny_llava, tmp_path_factory):
    """Two systems that answer everything correctly."""
    made = []
    for system in ("perceptual_reward", "standard"):
        folder = tmp_path_factory.mktemp(system)
        answers = {item.item_id: item.answer for item in store.open(pst).items()}
        (folder / inference.ANSWERS).write_bytes(msgspec.json.encode(Answers(answers, {}, {}, {})))
        made.append(EvalJob(system, 0, folder, tiny_llava, None, DataPaths(pst, pst, pst, None, None, pst), Recipe()))
    return made


def test_whole_pairs_are_chosen_and_twelve_items_at_most(pst):
    rows = overlays.choose(pst)
    twins = Counter(item.pair_id for item in store.open(pst).items())
    chosen = Counter(row.item.pair_id for row in rows)
    assert 2 <= len(rows) <= overlays.ITEMS
    assert all(twins[pair] == n for pair, n in chosen.items())
    assert [row.item.item_id for row in overlays.choose(pst)] == [row.item.item_id for row in rows]


def test_standard_comes_first_and_each_map_is_the_metric_s_scaled_by_its_largest_value(pst, jobs):
    rows = [row for row in overlays.choose(pst) if row.targets][:1]
    (item,) = overlays.view(jobs[::-1], rows)
    assert [view.system for view in item.answers] == ["standard", "perceptual_reward"]
    assert all(view.answer == item.row.item.answer for view in item.answers)
    assert all(view.heat.shape == (4, 4) and view.heat.max() in {0.0, 1.0} for view in item.answers)
    assert item.image.shape == (32, 32, 3)
    assert item.evidence.shape == (32, 32)


def test_the_overlays_are_of_the_first_seed(results_of, jobs, tmp_path):
    results = results_of(seeds=1, systems=["standard", "perceptual_reward"])
    later = [replace(job, seed=1, model=tmp_path / "nowhere") for job in jobs]
    overlays.write(results, tmp_path, [*later, *jobs])
    image = cv2.imdecode(np.frombuffer((tmp_path / overlays.NAME).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert min(image.shape[:2]) > 1000


def test_the_same_items_give_the_same_bytes(pst, jobs):
    rows = overlays.choose(pst)[:2]
    assert overlays.render(overlays.view(jobs, rows)) == overlays.render(overlays.view(jobs, rows))


def test_nothing_is_drawn_where_one_of_the_two_did_not_take_part(results_of, jobs, tmp_path):
    overlays.write(results_of(seeds=1, systems=["standard"]), tmp_path, jobs[1:])
    assert not (tmp_path / overlays.NAME).exists()


def test_an_absence_has_no_line_and_evidence_has_one():
    grey = np.full((32, 32, 3), 90, np.uint8)
    mask = np.zeros((32, 32), bool)
    assert (overlays.outlined(grey, mask) == 90).all()
    mask[8:16, 8:16] = True
    assert (overlays.outlined(grey, mask) == 255).any()


def test_heat_tints_where_it_is_and_nowhere_else():
    heat = np.zeros((4, 4))
    heat[1, 2] = 1.0
    drawn = overlays.heated(np.full((32, 32, 3), 90, np.uint8), heat).astype(int)
    tinted = drawn[:, :, 0] - drawn[:, :, 2] > 30
    patch = overlays.SIDE // 4
    assert tinted[patch : 2 * patch, 2 * patch : 3 * patch].all()
    assert tinted.sum() == patch**2
