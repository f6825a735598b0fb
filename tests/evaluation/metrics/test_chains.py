"""Chains: boxes and names as a model says them."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.config import build_config
from pstgen.core.records import BadInput
from pstgen.core.report import Refusals
from pstgen.dataset.rationale import chain
from pstgen.evaluation.metrics import chains
from pstgen.questions import families
from pstgen.scenes import sources


def measured(row, said):
    return chains.score([row], {row.item.item_id: said})


@pytest.fixture
def row(painted, item):
    return painted(item("1"))  # a red cup at (8, 8, 8, 8)


def test_the_chain_of_the_item_itself_is_wholly_right(row):
    assert measured(row, chain(row.item, row.scene)).figures == dict.fromkeys(
        ("parsed", "label", "iou", "located"), 100
    )


@pytest.mark.parametrize(
    ("said", "parsed", "label", "iou"),
    [
        ("red cup at (8, 8, 8, 8); so red", 100, 100, 100),
        ("Red  cup at (8, 8, 8, 8); what it shows: red; so red", 100, 100, 100),
        ("blue cup at (8, 8, 8, 8); so blue", 100, 0, 100),
        ("red cup at (12, 8, 8, 8); so red", 100, 100, 100 / 3),  # half of each box is shared
        ("red cup at (20, 20, 8, 8); so red", 100, 100, 0),
        ("red cup at (8, 8, 8, 8); red cup at (20, 20, 8, 8); so red", 100, 50, 50),  # one box too many
        ("no cup anywhere; so red", 100, 0, 0),
        ("red cup at (8, 8, 8, 8)", 0, 0, 0),  # it never ends
        ("red cup at (8, 8, 8; so red", 0, 0, 0),
        ("red cup at (9" + "9" * 400 + ", 8, 8, 8); so red", 0, 0, 0),  # no image is that wide
        ("red", 0, 0, 0),
        ("", 0, 0, 0),
    ],
)
def test_what_is_said_is_worth_what_a_hand_works_out(row, said, parsed, label, iou):
    figures = measured(row, said).figures
    assert (figures["parsed"], figures["label"]) == (parsed, label)
    assert figures["iou"] == pytest.approx(iou)
    assert figures["located"] == 100 * (iou >= 50)


def test_an_absence_has_no_box_but_a_name(painted, item):
    row = painted(item("1"), evidence=False)
    scores = measured(row, "no cup anywhere; so no")
    assert scores.figures == {"parsed": 100, "label": 100}
    assert set(scores.absent) == {"iou", "located"}
    assert measured(row, "red cup at (8, 8, 8, 8); so yes").figures["label"] == 0


def test_a_missing_chain_is_refused(row):
    with pytest.raises(BadInput, match=row.item.item_id):
        chains.score([row], {})


boxes = st.lists(st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 60)] * 2), min_size=1, max_size=4)


@given(boxes, boxes)
def test_overlap_is_symmetric_whole_on_itself_and_knows_no_order(one, other):
    steps = [chains.Chain(tuple(("cup", box) for box in some), ()) for some in (one, other, one[::-1])]
    assert chains.overlap(steps[0], steps[1]) == pytest.approx(chains.overlap(steps[1], steps[0]))
    assert chains.overlap(steps[0], steps[2]) == pytest.approx(1)
    assert 0 <= chains.overlap(steps[0], steps[1]) <= 1


def test_the_chain_of_every_fact_of_the_world_can_be_read(item):
    config = build_config(source="world", scenes=12, size=128, vlm="none")
    scenes = list(sources.load("world").scenes(config, lambda _: True, Refusals()))
    asked = Counter()
    for scene, family in product(scenes, plugins.names("families")):
        for fact in families.load(family).ask(scene):
            if not fact.truth.known:
                continue
            asked[family] += 1
            fields = {
                "family": family,
                "form": fact.form,
                "about": fact.about,
                "mark": fact.mark,
                "evidence": fact.evidence,
            }
            text = chain(item("1", answer=fact.truth.answer, options=(fact.truth.answer,), **fields), scene)
            assert chains.parse(text) is not None, text
    assert len(asked) >= 8
