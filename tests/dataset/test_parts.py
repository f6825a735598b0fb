"""Parts of a build are read together only where they are all the parts of one build."""

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.config import build_config, with_settings
from pstgen.core.records import BadInput
from pstgen.dataset import parts
from pstgen.dataset.parts import Shard

CONFIG = build_config(source="world", scenes=60)
NAME = ("vlm/blank", "1")


def known(*keys):
    return defaultdict(dict, {NAME: dict.fromkeys(keys, (-0.1, -2.0 / 3))})


@pytest.fixture
def two(tmp_path):
    """Both parts of a build."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for n, folder in enumerate(folders, 1):
        folder.mkdir()
        parts.write(folder, Shard(n, 2), with_settings(CONFIG, out=str(folder), workers=n), known("a", str(n)))
    return folders


def test_parts_together_know_what_each_knows_to_the_last_digit(two):
    config, recorded = parts.read(two)
    assert recorded.known == known("a", "1", "2")
    assert with_settings(config, out="pst", workers=0) == with_settings(CONFIG, out="pst", workers=0)


def test_a_build_without_models_has_parts_too(tmp_path):
    parts.write(tmp_path, Shard(1, 1), CONFIG, known())
    assert parts.read([tmp_path])[1].known == {}


def damaged(folder):
    (folder / parts.VERDICTS).write_bytes(b"PAR1")


def altered(name, value):
    def alter(folder):
        part = json.loads((folder / parts.NAME).read_text())
        part[name] = value
        (folder / parts.NAME).write_text(json.dumps(part))

    return alter


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (damaged, r"second/verdicts\.parquet: is damaged"),
        (lambda folder: (folder / parts.VERDICTS).unlink(), r"second: no part of a build here: no verdicts\.parquet"),
        (lambda folder: (folder / parts.NAME).unlink(), r"second: no part of a build here: no part\.json"),
        (lambda folder: (folder / parts.NAME).write_text("{"), r"second/part\.json: "),
        (altered("pstgen", "9.9"), r"second: written by pstgen 9\.9"),
        (altered("shard", [1, 2]), r"part 1 is given 2 times: .*first, .*second"),
        (altered("shard", [2, 3]), r"second: is part 2/3, and .*first is part 1/2"),
        (altered("settings", {"source": "world", "scenes": 70}), r"second: is of another build than .*first: scenes differ"),
        (altered("settings", {"sauce": "world"}), r"sauce"),
    ],
)  # fmt: skip
def test_what_is_no_part_of_the_same_build_is_refused(two, change, says):
    change(two[1])
    with pytest.raises(BadInput, match=says):
        parts.read(two)


def test_missing_parts_are_named(tmp_path):
    parts.write(tmp_path, Shard(2, 4), CONFIG, known("a"))
    with pytest.raises(BadInput, match="of 4 parts 3 are missing: 1, 3, 4"):
        parts.read([tmp_path])


@given(st.text(max_size=9), st.integers(1, 50))
def test_a_pair_is_in_one_shard(name, of):
    assert sum(Shard(number, of).has(name) for number in range(1, of + 1)) == 1


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1/ 2", "9" * 40])
def test_a_shard_is_typed_as_which_of_how_many(text):
    with pytest.raises(BadInput, match="type which of how many"):
        parts.shard(text)
