"""Every column and every field of the manifest, changed alone and sealed again, is noticed, or listed as taken on trust."""

import shutil
from contextlib import suppress

import cv2
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pstgen.build import build
from pstgen.core import config, plugins
from pstgen.core.config import VerifyConfig, build_config
from pstgen.core.records import BadInput
from pstgen.dataset import exporters, schema, store
from pstgen.scenes.png import encode as png
from pstgen.verification import checks, trust

ANEW = (
    "integrity",
    "manifest",
    "selection",
    "pairs",
    "cells",
    "words",
    "scores",
    "labels",
    "pages",
    "targets",
    "source",
)
OTHER_WORDS = {"question": "Is it raining?", "neutral_question": "Is it raining?"}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A few pairs of the world, edited ones and others, in several families."""
    out = tmp_path_factory.mktemp("small") / "pst"
    few = {"candidates": 12, "wordings": 2, "edited": 4, "lm": "none", "vlm": "none"}
    build(build_config(source="world", prior_base="world", scenes=120, size=64, out=out, **few))
    return out


@pytest.fixture
def copy(small, tmp_path):
    shutil.copytree(small, tmp_path / "pst")
    return tmp_path / "pst"


def seal(folder, **changes):
    manifest = store.open(folder).manifest
    (folder / "manifest.json").unlink()
    store.seal(folder, msgspec.structs.replace(manifest, **changes))


def forge(folder, change, file="data/test-00000-of-00001.parquet"):
    """Rewrite the rows of a table and seal the forgery."""
    columns = schema.SCORES if file == "scores.parquet" else schema.schema(schema.targets())
    rows = pq.read_table(folder / file).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=columns), folder / file)
    for name in exporters.PAGES:  # a forger writes the pages anew
        with suppress(Exception):  # of what no page can be made
            exporters.load(name).write(store.open(folder), folder)
    seal(folder)


def noticed(folder):
    """What the first check says that finds something, of those that work things out anew."""
    settings, dataset = VerifyConfig(folder=folder), store.open(folder)
    found = (checks.load(name).examine(dataset, settings).problems for name in ANEW)
    return next(filter(None, found), ())


def test_the_set_itself_is_sound(small):
    assert noticed(small) == ()


def test_these_are_all_checks_that_work_something_out_anew():
    assert {name for name in plugins.names("checks") if checks.works_out_anew(checks.load(name))} == set(ANEW)


def another(value, name=""):
    """A value of the same kind that is not this one."""
    match value:
        case None:
            return {"x": 1.0, "y": 1.0} if name == "mark" else 1.0
        case bool():
            return not value
        case str():
            return OTHER_WORDS.get(name, f"{value}x")
        case int() | float():
            return value + 1
        case list():
            return [*value[1:], *value[:1]] if len(value) > 1 else [*value, *([another(value[0])] if value else ["x"])]
        case dict():
            return value | {next(iter(value)): another(next(iter(value.values())))}
    raise TypeError(value)


def noise(code):
    """Other pixels in a picture of the same size and kind."""
    pixels = cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_UNCHANGED)
    return png(np.random.default_rng(0).permutation(pixels.reshape(-1)).reshape(pixels.shape))


DERIVED = {
    f"{schema.TARGET}{name}" for name in ("mask", "keypoints", "region")
}  # from annotations, of edited pictures too
PICTURES = ["image", *(f"{schema.TARGET}{name}" for name in schema.targets())]


@pytest.mark.parametrize("name", [name for name in schema.COLUMNS if name not in {*PICTURES, *trust.CELLS}])
def test_a_changed_cell_is_noticed(copy, name):
    """Of both twins of one pair, so that they agree."""

    def change(rows):
        first = rows[0]["pair_id"]
        value = another(rows[0][name], name)
        for row in rows:
            if row["pair_id"] == first and (row is rows[0] or name not in {"answer", "role", "item_id"}):
                row[name] = value

    forge(copy, change)
    assert noticed(copy)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("what", ["bytes", "path"])
def test_a_changed_picture_is_noticed(copy, name, what):
    """The world's are drawn again: those that are not edited."""

    def change(rows):
        shown = [row for row in rows if row[name] and (name in DERIVED or row["twin"] == "matched")]
        assert shown
        for row in shown:
            row[name][what] = noise(row[name][what]) if what == "bytes" else f"x{row[name][what]}"

    forge(copy, change)
    assert noticed(copy)


@pytest.mark.parametrize("name", sorted(trust.CELLS))
def test_what_is_taken_on_trust_must_be_possible_all_the_same(copy, name):
    impossible = {
        "lure": "x",
        "difficulty": float("nan"),
        "pull_counts": {"value": 1.0, "low": -1.0, "high": 2.0, "n": 9},
    }
    forge(copy, lambda rows: rows[0].update({name: impossible.get(name, float("inf"))}))
    assert noticed(copy)


@pytest.mark.parametrize("name", [name for name in schema.SCORES.names if name not in trust.SCORES])
def test_a_changed_score_is_noticed(copy, name):
    def change(rows):
        row = next(row for row in rows if row["kept"])
        row[name] = another(row[name], name)

    forge(copy, change, "scores.parquet")
    assert noticed(copy)


@pytest.mark.parametrize("name", sorted(trust.SCORES))
def test_scores_of_somebody_else_or_of_nobody_are_noticed(copy, name):
    values = {"judge": "gpt-9", "logprobs": [], "calibrated": [float("nan")]}
    forge(copy, lambda rows: [row.update({name: values[name]}) for row in rows], "scores.parquet")
    assert noticed(copy)


FIELDS = [name for name in store.Manifest.__struct_fields__ if name not in {"seal", "files", *trust.MANIFEST}]


@pytest.mark.parametrize("name", FIELDS)
def test_a_changed_field_of_the_manifest_is_noticed(copy, name):
    changed = {"format": 99, "settings": {}, "origin": {"name": "x", "licence": "x"}, "items": 1}
    seal(copy, **{name: changed[name]})
    if name == "format":
        with pytest.raises(BadInput, match="format 99"):
            store.open(copy)
    else:
        assert noticed(copy)


@pytest.mark.parametrize(
    "name", ["scenes", "seed", "size", "min_pull", "max_family_share", "pairs_per_scene", "prior_share", "source"]
)
def test_a_setting_that_leaves_a_trace_is_noticed(copy, name, monkeypatch):
    monkeypatch.setattr("pstgen.pairs.shares.FEW", 1)  # pairs, below which no shares are kept
    flat = config.flat(store.open(copy).manifest.settings)
    other = {
        "min_pull": 30.0,
        "max_family_share": 0.05,
        "pairs_per_scene": 1,
        "prior_share": 0.0,
        "source": "coco",
    }.get(name, 1 if isinstance(flat[name], str) else flat[name] + 1)
    seal(copy, settings=config.nested(flat | {name: other}))
    assert noticed(copy)


def test_licences_that_the_pictures_do_not_have_are_noticed(copy):
    settings = config.flat(store.open(copy).manifest.settings)
    seal(copy, settings=config.nested(settings | {"licenses": ["CC0-1.0"]}))
    assert not noticed(copy)
    seal(copy, settings=config.nested(settings | {"licenses": ["CC-BY-4.0"]}))
    assert noticed(copy)


@pytest.mark.parametrize("name", ["prior_share", "scenes", "seed", "another"])
def test_a_setting_beside_the_section_that_has_it_is_noticed(copy, name):
    seal(copy, settings={**store.open(copy).manifest.settings, "source" if name == "seed" else name: 0})
    assert noticed(copy)


@pytest.mark.parametrize("name", ["judges", "funnel", "dropped", "models"])
def test_counts_and_judges_that_contradict_the_set_are_noticed(copy, name):
    manifest = store.open(copy).manifest
    value = getattr(manifest, name)
    seal(
        copy,
        **{
            name: {"judges": {"gpt-9": "x"}, "models": {}}.get(
                name, {key: dict.fromkeys(of, 10**6) for key, of in value.items()}
            )
        },
    )
    assert noticed(copy)


@pytest.mark.parametrize("name", ["scores.parquet", "README.md", "croissant.json"])
def test_a_file_that_is_gone_or_another_is_noticed(copy, name):
    (copy / name).unlink()
    seal(copy)
    assert noticed(copy)
    (copy / name).write_text("# Perfect set, 1,000,000 pairs")
    seal(copy)
    assert noticed(copy)


def test_a_hash_from_elsewhere_is_compared(small):
    seal_ = store.open(small).manifest.seal
    for expected, sound in ((seal_, True), (seal_[:12].upper(), True), ("0" * 64, False)):
        settings = VerifyConfig(folder=small, expect=expected)
        assert checks.load("integrity").examine(store.open(small), settings).sound == sound


def test_what_is_trusted_is_said_by_name(small):
    said = " ".join(trust.taken_on_trust(store.open(small), []))
    for word in ("lures", "pulls", "scores", "models", "refused", "libraries", "edited pictures", "the source's"):
        assert word in said
