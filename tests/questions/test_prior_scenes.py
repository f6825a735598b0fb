"""Promises of which scenes feed the prior and which give items."""

import json
import re
from collections import Counter
from shutil import rmtree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstgen import build
from pstgen.core.config import build_config, with_settings
from pstgen.core.progress import silent
from pstgen.core.records import BadInput
from pstgen.core.report import Report
from pstgen.questions import prior_file, prior_scenes
from pstgen.questions.priors import is_prior_part
from pstgen.scenes import coco_files


@pytest.fixture
def root(tmp_path, photographs):
    """COCO's folder with 40 pictures of val2017."""
    photographs(tmp_path, "val2017", range(1, 41))
    return tmp_path


def divided(report=None, **settings):
    return prior_scenes.divide(build.with_defaults(build_config(**settings)), report or Report())


def ids(entries):
    return [entry.id for entry in entries]


def by_rule(split, numbers, share=0.2):
    return [f"{split}/{n}" for n in numbers if is_prior_part(f"{split}/{n}", "", share, 0)]


def test_alone_a_fifth_of_a_split_feeds_the_prior_and_the_rest_gives_items(root):
    told = divided(root=root)
    assert ids(told.prior) == []
    assert ids(told.held) == by_rule("val2017", range(1, 41))
    assert sorted(ids(told.held) + ids(told.items)) == sorted(f"val2017/{n}" for n in range(1, 41))
    assert told.pictured == frozenset(ids(told.held))
    assert told.share == 0.2
    assert told.notes == ()


def test_the_prior_rests_on_train2017_though_its_pictures_are_not_there_and_learns_pixels_from_a_fifth_of_the_items_split(
    root, photographs
):
    photographs(root, "train2017", range(1, 61), pictures=False)
    told = divided(root=root)
    assert ids(told.prior) == [f"train2017/{n}" for n in range(1, 61)]
    assert ids(told.held) == by_rule("val2017", range(1, 41))
    assert told.pictured == frozenset(ids(told.held))
    (note,) = told.notes
    assert note.startswith("the prior rests on the annotations of 60 scenes whose pictures are not at hand")
    assert f"it learns from {len(told.held)} scenes that give no items" in note


def test_with_the_pictures_of_train2017_none_of_val2017_feeds_the_prior(root, photographs):
    photographs(root, "train2017", range(1, 61))
    told = divided(root=root)
    assert ids(told.prior) == [f"train2017/{n}" for n in range(1, 61)]
    assert ids(told.held) == []
    assert len(told.items) == 40
    assert told.pictured == frozenset(ids(told.prior))
    assert (told.share, told.notes) == (0.0, ())


def test_of_the_priors_pictures_no_more_are_looked_at_than_told_and_its_own_come_first(root, photographs):
    photographs(root, "train2017", range(1, 61))
    told = divided(root=root, prior_pictures=7, prior_share=0.5)
    assert told.pictured == frozenset(f"train2017/{n}" for n in range(1, 8))
    assert ids(told.held) == by_rule("val2017", range(1, 41), 0.5)


def test_a_prior_that_was_fitted_before_leaves_every_scene_to_the_items(root):
    file = root / "prior.json"
    prior_file.write(file, Counter({(("count", "many", ("cup",)), "1"): 3}), 3, {"sha256 of another file": "00"})
    told = divided(root=root, prior_file=file)
    assert (told.held, told.share, len(told.items)) == ([], 0.0, 40)


def test_images_that_the_priors_file_shares_with_the_items_do_not_feed_it(root, photographs, tmp_path_factory):
    other = photographs(tmp_path_factory.mktemp("other"), "mine", range(31, 71), prefix="val2017")
    told = divided(root=root, prior_annotations=other)
    assert ids(told.prior) == [f"prior/{n}" for n in range(41, 71)]
    assert told.notes == ("10 images of the prior's file are the items' too and do not feed the prior",)
    assert len(told.items) == 40


def test_scenes_of_the_priors_file_have_names_of_their_own(root, photographs, tmp_path_factory):
    other = photographs(tmp_path_factory.mktemp("other"), "val2017", range(1, 41), prefix="other")
    told = divided(root=root, prior_annotations=other)
    assert not set(ids(told.prior)) & set(ids(told.items))
    assert len(told.prior) == len(told.items) == 40


@pytest.mark.parametrize("way", ["the same path", "another path to it", "a link to it"])
def test_the_items_file_as_the_priors_is_refused(root, way):
    mine = root / "annotations" / "instances_val2017.json"
    same = {
        "the same path": mine,
        "another path to it": root / "val2017" / ".." / "annotations" / "instances_val2017.json",
        "a link to it": root / "link.json",
    }[way]
    (root / "link.json").symlink_to(mine)
    with pytest.raises(BadInput, match=r"instances_val2017\.json: gives the items"):
        divided(annotations=mine, prior_annotations=same)


MINE, PRIOR = "annotations/instances_val2017.json", "other/annotations/instances_mine.json"
CONTRADICTIONS = {
    "a split of its own for a file": ({"annotations": MINE, "prior_split": "train2017"}, "--prior-annotations FILE"),
    "the items' split": ({"root": ".", "prior_split": "val2017"}, "is the split that gives the items"),
    "split and annotations": ({"root": ".", "prior_split": "train2017", "prior_annotations": PRIOR}, "exclude each"),
    "split and prior": ({"root": ".", "prior_split": "train2017", "prior_file": "p.json"}, "exclude each other"),
    "annotations and prior": ({"root": ".", "prior_annotations": PRIOR, "prior_file": "p.json"}, "exclude each other"),
    "a split that is not there": ({"root": ".", "prior_split": "test2017"}, r"instances_test2017\.json"),
    "a file that is not there": ({"annotations": MINE, "prior_annotations": "no.json"}, r"no\.json: No such file"),
    "items that are not there": ({"annotations": "no.json", "prior_annotations": PRIOR}, r"no\.json: No such file"),
    "annotations for the world": ({"source": "world", "prior_annotations": PRIOR}, "the source world has no scenes"),
    "a split for the world": ({"source": "world", "prior_split": "train2017"}, "the source world has no scenes"),
}
FILES = {"root", "annotations", "prior_annotations", "prior_file"}


@pytest.mark.parametrize(("told", "reason"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_options_that_contradict_each_other_are_refused_with_a_reason(root, photographs, told, reason):
    photographs(root, "train2017", range(1, 9))
    photographs(root / "other", "mine", range(1, 9))
    with pytest.raises(BadInput, match=reason):
        divided(**{name: root / value if name in FILES else value for name, value in told.items()})


def test_no_picture_at_hand_is_one_clear_error_with_names_and_advice(root):
    rmtree(root / "val2017")
    with pytest.raises(BadInput) as error:
        divided(root=root)
    assert re.fullmatch(
        r"none of \d+ annotated pictures is at hand \(val2017-\d+\.png, val2017-\d+\.png, val2017-\d+\.png, …\): "
        rf"no such image file\. Looked for in {root}/val2017; with --annotations, --images DIR names their folder",
        str(error.value),
    )


def test_some_pictures_that_are_not_at_hand_are_named_and_give_no_items(root):
    for n in (2, 3, 5):
        (root / "val2017" / f"val2017-{n}.png").unlink()
    report = Report()
    told = divided(report, root=root)
    gone = {2, 3, 5} - {int(name.partition("/")[2]) for name in ids(told.held)}
    assert {refusal.record for refusal in report.refused.records} == {f"image {n}" for n in gone}
    assert {refusal.reason for refusal in report.refused.records} == {"no such image file"}
    assert not {f"val2017/{n}" for n in gone} & set(ids(told.items))
    assert not {"val2017/2", "val2017/3", "val2017/5"} & told.pictured


def test_a_limit_takes_the_first_scenes_that_can_give_items_and_leaves_the_prior_alone(root):
    whole = divided(root=root)
    (root / "val2017" / f"{whole.items[0].image}").unlink()
    told = divided(root=root, limit=5)
    assert told.items == whole.items[1:6]
    assert told.held == whole.held


def test_where_all_scenes_feed_the_prior_the_share_is_named(tmp_path, photographs):
    photographs(tmp_path, "val2017", [1, 2])
    held = next(seed for seed in range(100) if all(is_prior_part(f"val2017/{n}", "", 0.95, seed) for n in (1, 2)))
    with pytest.raises(BadInput, match=r"all 2 scenes feed the prior, .* a lower --prior-share"):
        divided(root=tmp_path, prior_share=0.95, seed=held)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 30),
    missing=st.sets(st.integers(1, 30)),
    share=st.none() | st.floats(0, 0.95),
    seed=st.integers(0, 99),
    limit=st.none() | st.integers(1, 30),
    train=st.sampled_from(["none", "annotated", "pictured"]),
)
def test_no_scene_is_in_two_parts_and_every_one_whose_picture_is_at_hand_is_in_one(
    tmp_path_factory, n, missing, share, seed, limit, train
):
    folder = tmp_path_factory.mktemp("coco")
    (folder / "annotations").mkdir()
    for split in ("val2017", "train2017")[: 1 + (train != "none")]:
        images = [{"id": k, "file_name": f"{k}.png", "width": 9, "height": 9} for k in range(1, n + 1)]
        told = {"images": images, "annotations": [], "categories": []}
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(told))
        (folder / split).mkdir()
        for k in range(1, n + 1):
            if (k not in missing) if split == "val2017" else (train == "pictured"):
                (folder / split / f"{k}.png").touch()
    report = Report()
    try:
        made = divided(report, root=folder, prior_share=share, seed=seed, limit=limit)
    except BadInput:
        at_hand = [k for k in range(1, n + 1) if k not in missing]
        decided = share if share is not None else 0.0 if train == "pictured" else 0.2
        assert all(is_prior_part(f"val2017/{k}", "", decided, seed) for k in at_hand)
        return
    held, items = ids(made.held), ids(made.items)
    every = [f"val2017/{k}" for k in range(1, n + 1)]
    named = [f"val2017/{refusal.record.removeprefix('image ')}" for refusal in report.refused.records]
    assert not set(held) & set(items)
    assert len(ids(made.prior)) == (0 if train == "none" else n)
    if limit is None:
        assert sorted(held + items + named) == sorted(every)
    else:
        assert 0 < len(items) <= limit
    assert items == [name for name in every if name in set(items)]
    assert made.pictured <= {entry.id for entry in (*made.prior, *made.held) if entry.at_hand}


def test_nothing_to_expect_says_how_many_scenes_what_would_help_and_by_how_much_it_is_too_little(root):
    told = divided(root=root, prior_share=0.0)
    assert prior_scenes.why_no_prior(0, told, Report()) == (
        "the prior rests on 0 scenes, so nothing is expected and no answer is a lure: a larger --prior-share "
        "(it is 0 of 40 scenes), more pictures, --prior-annotations FILE or --prior-file FILE"
    )


def test_where_pictures_were_left_out_the_error_ends_with_the_reason_and_its_count(root):
    report = Report()
    told = divided(report, root=root)
    for n in range(1, 41):
        (root / "val2017" / f"val2017-{n}.png").write_bytes(b"broken")
    config = build_config(root=root)
    prior_scenes.read_pictures(told, config, report)
    assert not report.refused.records  # where none was left out so far nothing is opened
    report.refused.record("val2017-1.png", "image 1", "is 3x4, annotated as 4x3")
    prior_scenes.read_pictures(told, config, report)
    line = prior_scenes.why_no_prior(0, told, report)
    assert re.search(rf"no answer is a lure\. {len(told.items)} pictures left out: not readable as an image", line)
    assert "; 1 picture left out: is 3x4, annotated as 4x3" in line
    assert "--prior-share" not in line


def test_families_that_give_no_candidate_are_named_in_one_line():
    report = Report()
    report.count("candidate pairs", ["count"])
    (line,) = prior_scenes.empty_families(("colour", "count", "size"), report)
    assert line.startswith("no pair was found in colour, size: ")
    report.count("candidate pairs", ["colour", "size"])
    assert list(prior_scenes.empty_families(("colour", "count", "size"), report)) == []


def test_the_origin_names_every_file_by_its_hash(root, photographs):
    photographs(root, "train2017", range(1, 9), pictures=False)
    told = prior_scenes.origin(build.with_defaults(build_config(root=root)))
    hashes = {name for name in told if "sha256" in name}
    assert hashes == {
        f"{whose}sha256 of {kind}_{split}.json"
        for whose, split in (("", "val2017"), ("prior, ", "train2017"))
        for kind in ("instances", "captions")
    }


def test_what_is_counted_of_unpictured_train2017_and_of_a_fifth_of_val2017_is_one_prior(root, photographs):
    photographs(root, "train2017", range(1, 61), pictures=False)
    expectation, observed, _ = build.prior_alone(build.with_defaults(build_config(root=root)), silent)
    held = len(by_rule("val2017", range(1, 41)))
    assert (observed.scenes, observed.pictured) == (60 + held, held)
    families = Counter()
    for ((family, *_), _), n in observed.tally.items():
        families[family] += n
    assert families["relation"] > families["colour"] > 0
    assert {question[0] for question, *_ in expectation.strongest(5)} >= {"relation", "count"}
    coco_files.read.cache_clear()


def test_scenes_that_fed_a_prior_that_was_saved_give_no_items(tmp_path):
    """Neither where the same source gives the items, nor twice to the prior."""
    config = build_config(source="world", scenes=40, size=64)
    _, observed, share = build.prior_alone(config)
    file = tmp_path / "prior.json"
    prior_file.write(file, observed.tally, observed.scenes, prior_scenes.fitted_on(config, share))
    again = with_settings(config, prior_file=file)
    divided, before = prior_scenes.divide(again, Report()), prior_scenes.divide(config, Report())
    assert (divided.items, divided.held, divided.share) == (before.items, [], 0.2)
    with pytest.raises(BadInput, match="--prior-share"):
        prior_scenes.divide(with_settings(again, prior_share=0.5), Report())
    elsewhere = prior_scenes.divide(with_settings(again, seed=1), Report())  # other scenes of the world
    assert (len(elsewhere.items), elsewhere.share) == (40, 0.0)


BY, UNCHANGED = (f"http://creativecommons.org/licenses/{kind}/2.0/" for kind in ("by", "by-nd"))


@pytest.fixture
def licensed(root):
    """The folder, in which every second picture may not be changed; a picture that may is not at hand."""
    file = root / "annotations" / "instances_val2017.json"
    table = json.loads(file.read_text())
    table["licenses"] = [{"id": 1, "name": "Attribution License", "url": BY}, {"id": 2, "url": UNCHANGED}]
    for row in table["images"]:
        row["license"] = 1 + row["id"] % 2
    file.write_text(json.dumps(table))
    (root / "val2017" / "val2017-40.png").unlink()
    return root


@pytest.mark.parametrize("licence", ["1", "cc-by", BY, "Attribution License"])
def test_scenes_of_other_licences_give_no_items_and_feed_the_prior_by_their_annotations_alone(licensed, licence):
    report, everything = Report(), divided(root=licensed)
    parts = divided(report, root=licensed, licenses=(licence,))
    assert ids(parts.held) == ids(everything.held)
    assert ids(parts.items) == [name for name in ids(everything.items) if int(name.partition("/")[2]) % 2 == 0]
    assert parts.pictured == {name for name in everything.pictured if int(name.partition("/")[2]) % 2 == 0}
    assert parts.licences == (BY,)
    reasons = Counter(refusal.reason for refusal in report.refused.records)
    others = len(everything.items) - len(parts.items)
    assert reasons == {f"its licence is none of --licenses: {UNCHANGED}": others, "no such image file": 1}
    assert parts.unlicensed == others


def test_with_licences_the_priors_own_pictures_are_looked_at_if_theirs_is_wanted(licensed, photographs):
    """Its file numbers licences in its own way."""
    file = photographs(licensed, "train2017", range(1, 61))
    table = json.loads(file.read_text())
    table["licenses"] = [{"id": 1, "url": UNCHANGED}, {"id": 2, "url": BY}]
    for row in table["images"]:
        row["license"] = 1 + row["id"] % 2
    file.write_text(json.dumps(table))
    parts = divided(root=licensed, licenses=("1",))
    assert len(parts.prior) == 60
    assert parts.pictured == {f"train2017/{n}" for n in range(1, 61, 2)}


def test_a_licence_that_no_picture_has_is_an_error_with_those_there_are(licensed):
    with pytest.raises(BadInput, match=r"--licenses cc0: no picture .* have: 20 cc-by \(1\), 20 cc-by-nd \(2\)$"):
        divided(root=licensed, licenses=("cc-by", "cc0"))


def test_where_all_pictures_of_a_licence_feed_the_prior_the_error_says_so(licensed):
    file = licensed / "annotations" / "instances_val2017.json"
    table = json.loads(file.read_text())
    held = int(by_rule("val2017", range(1, 41))[0].partition("/")[2])
    for row in table["images"]:
        row["license"] = 1 if row["id"] == held else 2
    file.write_text(json.dumps(table))
    with pytest.raises(BadInput, match=r"all scenes of --licenses cc-by feed the prior.*--prior-share"):
        divided(root=licensed, licenses=("cc-by",))


def test_without_captions_it_is_said_what_that_costs_and_what_brings_it():
    report = Report()
    report.count("scenes for items", ["coco"] * 3)
    report.count("candidate pairs", ["relation"])
    captions, empty = prior_scenes.empty_families(("existence", "relation"), report)
    assert captions.startswith("there are no captions")
    assert "fewer pairs; captions_*.json" in captions
    assert empty.startswith("no pair was found in existence:")
    report.captioned = 3
    (line,) = prior_scenes.empty_families(("existence", "relation"), report)
    assert line == empty
    assert list(prior_scenes.empty_families(("relation",), report)) == []
