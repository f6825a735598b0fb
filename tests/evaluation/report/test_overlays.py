"""Twelve items in whole pairs, the same for every run of a stress test, with the maps that the metric measures."""

from collections import Counter
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest

from pstgen import build
from pstgen.core.config import BuildConfig
from pstgen.dataset import store
from pstgen.evaluation import inference
from pstgen.evaluation.data import Materials
from pstgen.evaluation.inference import Answers, Seat
from pstgen.evaluation.report import overlays


@pytest.fixture(scope="module")
def pst(tmp_path_factory):
    out = tmp_path_factory.mktemp("overlays") / "pst"
    build.build(BuildConfig(source="world", scenes=60, size=64, candidates=10, wordings=1, out=out))
    return out


@pytest.fixture(scope="module")
def seats(pst, tiny_llava, tmp_path_factory):
    made = []
    for system in ("perceptual_reward", "standard"):
        folder = tmp_path_factory.mktemp(system)
        said = {item.item_id: item.answer for item in store.open(pst).items()}
        (folder / inference.ANSWERS).write_bytes(msgspec.json.encode(Answers(said, {}, {}, {})))
        made.append(Seat(system, 0, folder, tiny_llava, None, Materials(pst, pst, pst, None, None, pst), ()))
    return made


def test_whole_pairs_are_chosen_and_twelve_items_at_most(pst):
    rows = overlays.chosen(pst)
    twins = Counter(item.pair_id for item in store.open(pst).items())
    chosen = Counter(row.item.pair_id for row in rows)
    assert 2 <= len(rows) <= overlays.ITEMS
    assert all(twins[pair] == n for pair, n in chosen.items())
    assert [row.item.item_id for row in overlays.chosen(pst)] == [row.item.item_id for row in rows]


def test_standard_stands_first_and_each_map_is_the_metric_s_by_its_largest(pst, seats):
    rows = [row for row in overlays.chosen(pst) if row.targets][:1]
    (one,) = overlays.shown(seats[::-1], rows)
    assert [look.system for look in one.looks] == ["standard", "perceptual_reward"]
    assert all(look.answer == one.row.item.answer for look in one.looks)
    assert all(look.heat.shape == (4, 4) and look.heat.max() in {0.0, 1.0} for look in one.looks)
    assert one.image.shape == (32, 32, 3)
    assert one.evidence.shape == (32, 32)


def test_the_picture_is_drawn_of_the_first_seed(results_of, seats, tmp_path):
    told = results_of(seeds=1, systems=["standard", "perceptual_reward"])
    later = [replace(seat, seed=1, model=tmp_path / "nowhere") for seat in seats]
    overlays.write(told, tmp_path, [*later, *seats])
    drawn = cv2.imdecode(np.frombuffer((tmp_path / overlays.NAME).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert min(drawn.shape[:2]) > 1000


def test_the_same_items_give_the_same_bytes(pst, seats):
    rows = overlays.chosen(pst)[:2]
    assert overlays.render(overlays.shown(seats, rows)) == overlays.render(overlays.shown(seats, rows))


def test_nothing_is_drawn_where_one_of_the_two_did_not_take_part(results_of, seats, tmp_path):
    overlays.write(results_of(seeds=1, systems=["standard"]), tmp_path, seats[1:])
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
