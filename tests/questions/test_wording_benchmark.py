"""benchmarks/wording.py, without its language model."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from pstgen.core import plugins
from pstgen.questions import wording
from pstgen.scenes import vocabulary

FILE = Path(__file__).parents[2] / "benchmarks" / "wording.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("wording_benchmark", FILE)
    module = sys.modules["wording_benchmark"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["wording_benchmark"]


def test_every_wording_is_filled_with_the_same_words_at_every_call(benchmark):
    families = tuple(plugins.names("families"))
    found = benchmark.wordings(families, 3)
    assert found == benchmark.wordings(families, 3)
    assert {len(each.filled) for each in found} == {3}
    assert not [text for each in found for text in each.filled if "{" in text]
    forms = {(family, form) for family in families for form in wording.forms(family)}
    assert {(each.family, each.form) for each in found} == forms


def test_things_differ_and_words_are_of_their_slots_kind(benchmark):
    for family in plugins.names("families"):
        for name, form in wording.forms(family).items():
            for about, lure in benchmark.fillings(family, name, form, 20):
                by_slot = dict(zip(form.slots, about, strict=True))
                things = [by_slot[slot] for slot in ("thing", "other", "context") if slot in by_slot]
                assert len(set(things)) == len(things)
                assert all(vocabulary.terms(thing) != vocabulary.Terms() for thing in things), things
                assert by_slot.get("side", "left") in {"left", "right"}
                assert by_slot.get("number", "1") in {"1", "2", "3", "4"}
                assert lure


def test_a_framed_wording_must_reach_the_fifth_percentile_and_a_neutral_one_be_no_outlier(benchmark):
    (one, *_) = benchmark.wordings(("count",), 1)
    neutral = [replace(one, frame="neutral", score=-4 + n / 100) for n in range(101)]
    framed = replace(one, frame="caption", score=-9.0)
    assert benchmark.bars([*neutral, framed]) == pytest.approx((-3.95, -4.5))


def test_reading_prints_that_many_filled_questions_and_needs_no_model(benchmark):
    result = CliRunner().invoke(benchmark.main, ["--read", "7", "--family", "size", "--seed", "3"])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert len(lines) == 7
    assert all(line.startswith("size larger ") and line.endswith("?") for line in lines)
