"""Between two versions of a set every pair is the same, came, went, or changed, and the reason is given."""

import json

import pytest
from click.testing import CliRunner

from pstgen.build import build
from pstgen.cli import main
from pstgen.core.config import build_config
from pstgen.dataset import difference, store

FEW = {"candidates": 12, "wordings": 1, "lm": "none", "vlm": "none", "families": ("colour", "existence"), "size": 64}


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """Two sets, of 90 and of 120 scenes, in folders."""
    folder = tmp_path_factory.mktemp("versions")
    for name, scenes in (("old", 90), ("new", 120)):
        build(build_config(source="world", prior_base="world", scenes=scenes, out=folder / name, **FEW))
    return folder / "old", folder / "new"


def test_a_set_does_not_differ_from_itself(versions):
    dataset = store.open(versions[0])
    found = difference.between(dataset, dataset)
    assert (found.settings, found.added, found.removed, found.changed) == ({}, [], [], [])
    assert found.same == len(list(dataset.pairs()))


def test_every_pair_of_both_sets_is_counted_once(versions):
    old, new = map(store.open, versions)
    found = difference.between(old, new)
    before, after = ({pair.pair_id for pair in dataset.pairs()} for dataset in (old, new))
    assert {change.pair for change in found.added} == after - before
    assert {change.pair for change in found.removed} == before - after
    assert found.same + len(found.changed) == len(before & after)
    assert found.settings["scenes"] == (90, 120)
    assert found.added


def test_a_reason_says_whether_the_scenes_were_there(versions):
    old, new = map(store.open, versions)
    shown = {item.scene_id for item in old.items()}
    for change in difference.between(old, new).added:
        scenes = {item.scene_id for item in new.items() if item.pair_id == change.pair}
        assert change.why == (difference.BEFORE if scenes <= shown else difference.NEW)


def test_an_answer_that_changed_is_given_before_and_after():
    class Version:
        def __init__(self, answer):
            self.manifest = type("Manifest", (), {"settings": {}})()
            self.answer = answer

        def items(self):
            shared = {
                "pair_id": "p",
                "family": "colour",
                "form": "of",
                "about": ("cup",),
                "frame": "neutral",
                "image": "",
            }
            words = {"question": "What colour?", "neutral": "What colour?", "options": ("red", "blue", "green")}
            from pstgen.core.records import Item

            yield Item(item_id="p-a", role="stress", scene_id="1", answer=self.answer, lure="blue", **shared, **words)
            yield Item(item_id="p-b", role="control", scene_id="2", answer="blue", lure="blue", **shared, **words)

    (change,) = difference.between(Version("red"), Version("green")).changed
    assert (change.pair, change.why) == ("p", "other: answer")
    assert (change.before, change.after) == ({"p-a": {"answer": "red"}}, {"p-a": {"answer": "green"}})


def test_the_command_counts_by_family_and_reason(versions):
    done = CliRunner().invoke(main, ["diff", *map(str, versions)])
    assert done.exit_code == 0, done.output
    assert "setting scenes: 90, now 120" in done.output
    as_json = json.loads(CliRunner().invoke(main, ["diff", *map(str, versions), "--json"]).output)
    assert f"{as_json['same']:,} pairs are the same; {len(as_json['added']):,} came" in done.output


def test_a_folder_that_is_none_is_one_line(versions, tmp_path):
    done = CliRunner().invoke(main, ["diff", str(versions[0]), str(tmp_path)])
    assert done.exit_code == 2
    assert "no stress test here" in done.output
