"""Whatever is changed in a set and sealed again, `verify` names it or lists it as taken on trust: never a traceback."""

import copy
import json
import os
import shutil
from hashlib import sha256

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from pstgen.build import build
from pstgen.core.config import VerifyConfig, build_config
from pstgen.core.records import BadInput
from pstgen.dataset import schema, sealing, store
from pstgen.verification import certificate, checks, trust

FUZZ = int(os.environ.get("PSTGEN_FUZZ", "0"))  # examples that are drawn anew; by default the same ones
EXAMPLES = FUZZ or 300
SHARD = "data/test-00000-of-00001.parquet"
WORDS = st.one_of(st.text(max_size=9), st.sampled_from(["\0", "../x", "x" * 10**5, "{", "[" * 10**4, "<script>", "a+b-c", "1e308"]))  # fmt: skip
NUMBERS = st.one_of(st.floats(), st.sampled_from([1e308, -1e308, float("nan"), float("inf"), -0.5]))
WHOLE = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-2, 9))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A handful of pairs."""
    out = tmp_path_factory.mktemp("handful") / "pst"
    few = {
        "candidates": 4,
        "wordings": 1,
        "edited": 2,
        "lm": "none",
        "vlm": "none",
        "families": ("colour", "existence"),
    }
    build(build_config(source="world", prior_base="world", scenes=80, size=64, out=out, **few))
    return out


def other(kind):
    """Cells of a column of that kind, empty ones among them."""
    if pa.types.is_struct(kind):
        return st.none() | st.fixed_dictionaries({field.name: other(field.type) for field in kind})
    if pa.types.is_list(kind):
        return st.none() | st.lists(other(kind.value_type), max_size=3)
    if pa.types.is_binary(kind):
        return st.none() | st.binary(max_size=40)
    if pa.types.is_boolean(kind):
        return st.none() | st.booleans()
    return st.none() | (NUMBERS if pa.types.is_floating(kind) else WHOLE if pa.types.is_integer(kind) else WORDS)


def partly(value, kind):
    """Another cell, or the same with one part another."""
    if pa.types.is_struct(kind) and isinstance(value, dict):
        parts = [st.just(value).flatmap(lambda v, f=f: partly(v[f.name], f.type).map(lambda part: v | {f.name: part})) for f in kind]  # fmt: skip
        return st.one_of(other(kind), *parts)
    return other(kind)


def noticed(folder):
    dataset, config = store.open(folder), VerifyConfig(folder=folder)
    order = [*certificate.FIRST, "selection", "pairs", "cells", "words", "scores", "labels", "targets", "pages"]
    return next(filter(None, (checks.load(name).examine(dataset, config).problems for name in order)), ())


@pytest.fixture
def folder(small, tmp_path):
    shutil.copytree(small, tmp_path / "pst")
    return tmp_path / "pst"


@settings(max_examples=EXAMPLES, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_any_cell_of_any_row(small, folder, data):
    file = data.draw(st.sampled_from([SHARD, SHARD, SHARD, "scores.parquet"]))
    columns = schema.schema(schema.targets()) if file == SHARD else schema.SCORES
    rows = pq.read_table(small / file).to_pylist()
    place, name = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.sampled_from(columns.names))
    before, tried = rows[place][name], file != SHARD and not rows[place]["kept"]
    rows[place][name] = data.draw(partly(before, columns.field(name).type))
    assume(rows[place][name] != before)
    for table in (SHARD, "scores.parquet"):
        shutil.copy(small / table, folder / table)
    try:
        pq.write_table(pa.Table.from_pylist(rows, schema=columns), folder / file)
    except (pa.ArrowException, UnicodeEncodeError):
        reject()
    seal(folder, store.open(small).manifest)
    assert noticed(folder) or tried or name in trust.CELLS | trust.SCORES


def seal(folder, manifest):
    (folder / "manifest.json").unlink(missing_ok=True)
    store.seal(folder, manifest)


def places(value, path=()):
    """Every place in a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from places(value[key], (*path, key))


ODD = st.one_of(st.none(), st.booleans(), WHOLE, NUMBERS, WORDS, st.sampled_from([[], {}, [[]], {"": {}}, {"a": 1}]))


@settings(max_examples=EXAMPLES, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_any_place_of_the_manifest(small, folder, data):
    record = json.loads((small / "manifest.json").read_bytes())
    *above, key = data.draw(st.sampled_from(list(places(record))))
    inner = changed = copy.deepcopy(record)
    for step in above:
        inner = inner[step]
    inner[key] = copy.deepcopy(data.draw(ODD))
    assume(changed != record)
    try:
        bare = msgspec.json.encode(changed | {"seal": ""}, order="sorted")
        sealed = changed | {"seal": sha256(bare).hexdigest()}
        code = msgspec.json.format(msgspec.json.encode(sealed, order="sorted"), indent=2) + b"\n"
    except (TypeError, ValueError, UnicodeEncodeError):
        reject()
    (folder / "manifest.json").write_bytes(code)
    try:
        found = noticed(folder)
    except BadInput:
        return
    first = (*above, key)[0]
    settings_that_leave_no_trace = first == "settings"
    assert found or first in trust.MANIFEST | {"seal"} or settings_that_leave_no_trace


def test_the_seal_is_the_one_that_a_forger_would_make(small):
    assert (small / "manifest.json").read_bytes() == sealing.canonical(store.open(small).manifest)
