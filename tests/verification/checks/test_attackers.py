"""The check that attacks a finished set, and what it writes beside the items."""

import pyarrow.parquet as pq
import pytest

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Unavailable, origin
from pstgen.dataset import store
from pstgen.scenes import pixels
from pstgen.verification import readers
from pstgen.verification.checks import attackers


def examined(folder, **settings):
    return attackers.examine(store.open(folder), VerifyConfig(folder=folder, **settings))


def test_a_sound_set_gives_no_pair_and_says_so(folder):
    finding = examined(folder)
    assert finding.sound
    assert "pairs won, 0.0% at most" in finding.summary
    assert {result.attacker for result in finding.attacks} >= {"ngrams", "order"}
    assert {result.pairs.share for result in finding.attacks} == {0}


def test_a_set_too_small_to_train_on_is_not_tested(forge):
    """Of a single pair nothing is left to train on."""

    def shrink(rows):
        rows[:] = [row for row in rows if row["pair_id"] == rows[0]["pair_id"]]

    finding = examined(forge(shrink))
    assert finding.state == "not tested"
    assert finding.untested == attackers.UNTRAINED


def test_every_items_vulnerability_is_written_with_who_won_it(folder):
    finding = examined(folder)
    rows = pq.read_table(folder / "vulnerability.parquet").to_pylist()
    items = list(store.open(folder).items())
    assert [row["item_id"] for row in rows] == [item.item_id for item in items]
    for row, item in zip(rows, items, strict=True):
        assert row["vulnerability"] == pytest.approx(len(row["won_by"]) / len(finding.attacks))
        assert ("lured" in row["won_by"]) == (item.role == "control")
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name]


def test_vulnerability_is_not_read_as_a_benchmark(folder):
    examined(folder)
    assert len(readers.read(folder).samples) == store.open(folder).manifest.items


def test_a_set_that_cannot_be_written_is_an_error_that_says_so(folder):
    (folder / "vulnerability.parquet").unlink()
    (folder / "vulnerability.parquet").mkdir()
    with pytest.raises(Unavailable, match="vulnerability"):
        examined(folder)


def test_names_that_put_the_stress_twin_first_are_found(forge):
    """The letter of an item's name is given by its role, so its place among its twins tells it."""

    def leak(rows):
        for row in rows:
            row["item_id"] = f"{row['pair_id']}-{'b' if row['role'] == 'control' else 'a'}{row['item_id'][-1]}"
        rows.sort(key=lambda row: row["item_id"])

    finding = examined(forge(leak))
    assert [line for line in finding.problems if line.startswith("order wins")]


def test_a_vlm_is_shown_scenes_of_the_set_into_which_nothing_is_written(folder):
    dataset = store.open(folder)
    images = attackers._images(dataset)
    plain = {
        (origin(row.item.scene_id), pixels.decode(row.image).tobytes()) for row in dataset.rows() if not row.item.label
    }
    assert len(images) == attackers.OTHER_SCENES
    assert {(name, image.tobytes()) for name, image in images.items()} <= plain


def test_blinded_models_attack_where_one_is_named(folder, tiny_llava):
    finding = examined(folder, attacker_vlm=str(tiny_llava), folds=2, device="cpu")
    pairs = {result.attacker: result.pairs.share for result in finding.attacks}
    assert {pairs[name] for name in ("blinded", "blinded_tuned", "other_scene")} == {0}
    assert finding.sound
