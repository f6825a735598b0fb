"""Promises of what is counted of scenes: the same however it is divided, and nothing from pictures that are not looked at."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pstgen.core import plugins, workers
from pstgen.core.config import build_config, with_settings
from pstgen.core.report import Refusals, Report
from pstgen.questions import facts, families
from pstgen.questions.priors import answered
from pstgen.scenes.sources import coco, world

PIXELS = {("colour", "of"), ("colour", "is"), ("pointing", "on"), ("overlap", "touching"), ("combination", "look")}


@pytest.fixture(scope="module")
def config(tmp_path_factory, photographs):
    """Sixteen photographs, of which one is broken and one of another size."""
    root = tmp_path_factory.mktemp("coco")
    photographs(root, "val2017", range(1, 17))
    (root / "val2017" / "val2017-5.png").write_bytes(b"no picture")
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(root / "val2017" / "val2017-11.png")
    return build_config(root=root)


def told(config, entries, pictured, processes=1, **more):
    """All that they teach, and how many parts it came in."""
    seen, parts = facts.Observed(), 0
    for part in facts.observe(config, entries, frozenset(pictured), processes, **more):
        seen.add(part)
        parts += 1
    return seen, parts


def asked(observed):
    return {question[:2] for question, _ in observed.tally}


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(1, 15)), st.sets(st.integers(0, 15)))
def test_what_is_counted_is_the_sum_over_any_split_into_shards(config, cuts, looked):
    entries = coco.index(config)
    pictured = {entries[n].id for n in looked}
    whole, _ = told(config, entries, pictured)
    summed, ends = facts.Observed(), [0, *sorted(cuts), 16]
    for start, end in pairwise(ends):
        summed.add(told(config, entries[start:end], pictured)[0])
    assert summed == whole
    assert whole.pictured == len(looked - {4, 10})
    assert whole.scenes == 16 - len(looked & {4, 10})


@pytest.mark.parametrize("processes", [1, 2])
def test_many_shards_in_one_or_two_processes_give_what_one_shard_gives(config, processes, monkeypatch):
    entries = coco.index(config)
    pictured = {entry.id for entry in entries}
    whole, one = told(config, entries, pictured)
    monkeypatch.setattr(facts, "SHARD", 6)
    monkeypatch.setattr(facts, "PICTURED", 3)
    parted, many = told(config, entries, pictured, processes)
    workers.stop()
    assert (one, many) == (1, 6)
    assert parted == whole


def test_a_scene_that_is_not_pictured_tells_what_annotations_tell_and_nothing_that_only_pixels_tell(config):
    entries = coco.index(config)
    (seen, _), (unseen, _) = told(config, entries, {e.id for e in entries}), told(config, entries, ())
    assert asked(seen) >= PIXELS
    assert not asked(unseen) & {(family, form) for family, form in asked(seen) if family in {"colour", "pointing"}}
    assert not asked(unseen) & PIXELS
    assert {"existence", "count", "relation"} <= {family for family, _ in asked(unseen)}
    assert (unseen.scenes, unseen.pictured, unseen.images) == (16, 0, [])


def test_what_annotations_tell_is_the_same_with_and_without_the_picture(config):
    entries = [entry for entry in coco.index(config) if entry.image not in {"val2017-5.png", "val2017-11.png"}]
    (seen, _), (unseen, _) = told(config, entries, {e.id for e in entries}), told(config, entries, ())
    by_words = {key: n for key, n in seen.tally.items() if key[0][0] in {"existence", "count", "relation"}}
    assert {key: n for key, n in unseen.tally.items() if key[0][0] in {"existence", "count", "relation"}} == by_words


def test_images_that_cannot_be_used_are_named_with_the_reason_and_teach_nothing(config):
    entries = coco.index(config)
    seen, _ = told(config, entries, {entry.id for entry in entries})
    named = {refusal.file: (refusal.record, refusal.reason) for refusal in seen.refused.records}
    assert list(named) == ["val2017-5.png", "val2017-11.png"]
    assert named["val2017-5.png"][0] == "image 5"
    assert "not readable as an image" in named["val2017-5.png"][1]
    assert named["val2017-11.png"] == ("image 11", "is 9x9, annotated as 120x90")
    assert seen.scenes == 14
    sound = [entry for entry in entries if entry.image not in named]
    assert seen.tally == told(config, sound, {entry.id for entry in sound})[0].tally


def test_images_are_remembered_in_the_order_of_their_scenes_and_not_too_many(config, monkeypatch):
    entries = coco.index(config)
    monkeypatch.setattr(facts, "OTHERS", 3)
    seen, _ = told(config, entries, {entry.id for entry in entries[1:]})
    assert [image.rpartition("/")[2] for image in seen.images] == [f"val2017-{n}.png" for n in (2, 3, 4)]


def test_only_the_families_that_are_wanted_are_asked(config):
    entries = coco.index(config)
    seen, _ = told(with_settings(config, families=("count",)), entries, ())
    assert {family for family, _ in asked(seen)} == {"count"}


@pytest.mark.parametrize("family", [name for name in plugins.names("families") if families.counted(name)])
def test_what_a_family_counts_in_bulk_is_what_its_facts_say_one_by_one(config, family):
    """With and without the pictures, and on scenes of the world, of which all is known."""
    drawn = build_config(source="world", scenes=40, size=128, typicality=0.5)
    scenes = list(coco.scenes(config, lambda name: name not in {"val2017/5", "val2017/11"}, Refusals()))
    scenes += coco.scenes(config, lambda _: True, Refusals(), lambda _: False)
    scenes += world.scenes(drawn, lambda _: True, Refusals())
    bulk, told = families.counted(family), Counter()
    for scene in scenes:
        bulk.add(scene)
        told.update(answered(fact for fact in families.load(family).ask(scene) if fact.truth.known))
    assert told
    assert Counter(dict(bulk.tally())) == told


def test_what_passes_scenes_on_may_say_more_of_them_or_leave_some_out(config):
    entries = coco.index(config)
    seen, _ = told(config, entries, (), through=lambda scenes: (scene for scene in scenes if scene.id != "val2017/3"))
    assert seen.scenes == 15
    assert seen.tally == told(config, [entry for entry in entries if entry.id != "val2017/3"], ())[0].tally


def test_scenes_come_with_their_known_facts_in_their_order_and_what_is_unknown_is_counted(config):
    report = Report()
    scenes = list(coco.scenes(config, lambda _: True, Refusals()))
    passed = list(facts.known(iter(scenes), config, report))
    assert [scene for scene, _ in passed] == [scene for scene in scenes if scene.id not in {"val2017/5", "val2017/11"}]
    assert all(fact.scene_id == scene.id and fact.truth.known for scene, known in passed for fact in known)
    assert report.stations["known facts"] == Counter(fact.family for _, known in passed for fact in known)
    assert [refusal.record for refusal in report.refused.records] == ["image 5", "image 11"]
    assert report.refused.facts
    assert all(reason for _, reason in report.refused.facts)
