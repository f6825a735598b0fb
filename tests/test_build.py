"""Promises of the whole road, on the built-in world and, where they are at hand, on photographs."""

import errno
import hashlib
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from pstgen import build
from pstgen.core.config import VerifyConfig, build_config, flat
from pstgen.core.records import BadInput, Unavailable, origin
from pstgen.dataset import store
from pstgen.pairs import edits
from pstgen.questions.priors import is_prior_part
from pstgen.verify import verify

WORLD = {"source": "world", "prior_base": "world", "scenes": 200, "size": 64}
COCO = os.environ.get("PSTGEN_COCO_ROOT")
photographs = pytest.mark.skipif(not COCO, reason="PSTGEN_COCO_ROOT is not set: no photographs here")


def digest(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("world") / "pst"
    config = build_config(**WORLD, out=out)
    return config, build.build(config), store.open(out)


def test_every_family_gives_pairs_and_none_more_than_its_share(world):
    config, report, _ = world
    kept = report.stations["kept"]
    assert set(kept) >= {"existence", "colour", "relation", "pointing"}
    assert max(kept.values()) <= config.selection.max_family_share * kept.total()


def test_the_funnel_never_widens_after_the_candidates(world):
    stations = world[1].stations
    order = ["candidate pairs", *(name for name in stations if name.startswith("fooled")), "kept"]
    totals = [stations[name].total() for name in order]
    assert totals == sorted(totals, reverse=True)


def test_no_item_shows_a_scene_that_fed_the_prior(world):
    _, _, dataset = world
    rule = [flat(dataset.manifest.settings)[name] for name in ("prior_split", "prior_share", "seed")]
    assert rule == ["", 0.2, 0]
    assert not any(is_prior_part(item.scene_id, *rule) for item in dataset.items())


def test_every_baseline_gives_the_lure_for_every_kept_pair(world):
    kept = [score for score in world[2].scores() if score.kept]
    assert {score.judge for score in kept} == {"prior", "text"}
    assert all(score.choice == score.lure for score in kept)


def test_candidates_that_were_dropped_are_recorded_too(world):
    assert any(not score.kept for score in world[2].scores())


def test_no_scene_gives_more_than_a_few_pairs(world):
    config, _, dataset = world
    shown = {(item.pair_id, origin(item.scene_id)) for item in dataset.items()}
    assert max(Counter(scene for _, scene in shown).values()) <= config.selection.pairs_per_scene


def test_one_seed_gives_the_same_bytes_and_another_one_others(world, tmp_path):
    _, _, dataset = world
    build.build(build_config(**WORLD, out=tmp_path / "again"))
    assert digest(tmp_path / "again") == digest(dataset.folder)
    build.build(build_config(**WORLD, seed=1, out=tmp_path / "other"))
    assert digest(tmp_path / "other") != digest(dataset.folder)


def test_a_build_that_fails_half_way_leaves_nothing(tmp_path, monkeypatch):
    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "record_others", broken)
    with pytest.raises(KeyboardInterrupt):
        build.build(build_config(**WORLD, out=tmp_path / "pst"))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_under_the_temporary_folder_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(edits.png, "write", full)
    with pytest.raises(Unavailable, match="the disk is full"):
        build.build(build_config(**WORLD, out=tmp_path / "pst"))
    assert list(tmp_path.iterdir()) == []


def test_nothing_left_is_said_with_its_funnel(tmp_path):
    with pytest.raises(BadInput, match=r"no pair is left .*candidate"):
        build.build(build_config(**WORLD, min_pull=99.0, out=tmp_path / "pst"))
    assert list(tmp_path.iterdir()) == []


def test_a_written_world_is_read_back_as_coco(tmp_path):
    """The world's files are a COCO source like any other, and lead to a sound set."""
    from pstgen.core.config import WorldConfig
    from pstgen.scenes.world import files

    (tmp_path / "world").mkdir()
    files.write(WorldConfig(n=150, size=64), tmp_path / "world")
    config = build_config(
        source="coco", root=tmp_path / "world", split="world", prior_base="world", out=tmp_path / "pst"
    )
    assert build.build(config).stations["kept"].total() > 10
    assert all(finding.sound for finding in verify(VerifyConfig(folder=tmp_path / "pst")))


def test_no_file_of_a_set_names_a_folder_of_this_machine(tmp_path, photographs):
    file = photographs(tmp_path / "coco", "val2017", range(1, 121), complete=True)
    tables = json.loads(file.read_text())
    for picture, name in zip(
        tables["images"], (tmp_path / "1.png", "../../2.png", "3.png", "C:\\me\\4.png"), strict=False
    ):
        picture["file_name"] = str(name)
    (tmp_path / "coco" / "val2017" / "val2017-5.png").write_bytes(b"no picture")
    file.write_text(json.dumps(tables))
    lax = {"prior_base": "coco-2014", "max_direction_share": 1.0, "max_family_share": 1.0, "pairs_per_scene": 10}
    build.build(build_config(annotations=file, images=tmp_path / "coco" / "val2017", **lax, out=tmp_path / "pst"))
    manifest = store.open(tmp_path / "pst").manifest
    refused = {refusal["file"] for refusal in manifest.refused}
    assert {"1.png", "4.png"} <= refused <= {"1.png", "2.png", "3.png", "4.png", "val2017-5.png"}
    texts = [path.read_text() for path in (tmp_path / "pst").iterdir() if path.suffix in {".json", ".md", ".yaml"}]
    assert len(texts) == 6
    assert not any(str(tmp_path) in text for text in texts)


def test_a_vlm_in_the_loop_blind_and_seeing(tmp_path, tiny_llava):
    out = tmp_path / "pst"
    build.build(build.with_defaults(build_config(**WORLD, vlm=str(tiny_llava), candidates=40, wordings=2, out=out)))
    scores = list(store.open(out).scores())
    blind = {"vlm/no-image", "vlm/grey-image", "vlm/other-image"}
    assert {score.judge for score in scores} == {"prior", "text", "lm", "vlm/seeing"} | blind
    models = store.open(out).manifest.models
    deciding = {judge for judge in blind if models[judge]["decides"]}
    kept = [score for score in scores if score.kept]
    assert all(score.choice == score.lure for score in kept if score.judge in deciding)
    assert {score.judge for score in kept} >= blind
    assert all(len(score.calibrated) == len(score.logprobs) for score in scores if score.judge in blind)
    assert models["vlm/seeing"]["agreement"].keys() == {"items", "invalid", "options", "generate"}
    seen = sorted(score.item_id for score in scores if score.judge == "vlm/seeing")
    assert seen == [item.item_id for item in store.open(out).items()]


@photographs
def test_photographs_give_a_sound_set(tmp_path, tiny_llava):
    config = build_config(root=Path(COCO), vlm=str(tiny_llava), out=tmp_path / "pst")
    kept = build.build(build.with_defaults(config)).stations["kept"]
    assert kept.total() >= 25
    assert set(kept) >= {"existence", "pointing"}  # of other families 80 scenes make nobody surely expect anything
    assert max(kept.values()) <= 0.6 * kept.total()
    assert all(finding.sound for finding in verify(VerifyConfig(folder=config.out)))
