"""Promises of scenes that pass every twin maker: the same pairs and the same report, whatever the number of processes."""

from collections import Counter
from dataclasses import replace

import pytest

from pstgen.core import plugins, workers
from pstgen.core.config import build_config, with_settings
from pstgen.core.report import Report
from pstgen.pairs import passing
from pstgen.pairs.context import PairContext
from pstgen.questions.facts import known
from pstgen.questions.priors import count, counts
from pstgen.scenes import pixels, sources

CONFIG = build_config(source="world", prior_base="none", scenes=120, size=96)
ENTRIES = sources.load("world").index(CONFIG)


@pytest.fixture(scope="module", autouse=True)
def _none_left():
    yield
    workers.stop()


@pytest.fixture(scope="module")
def prior():
    many = with_settings(CONFIG, scenes=500, families=("count", "existence", "relation"))
    scenes = sources.load("world").scenes(many, lambda _: True, Report().refused)
    return counts.fit(count(fact for _, facts in known(scenes, many, Report()) for fact in facts))


def passed(context, processes):
    """All pairs, the pixels of those that were made, and what became of the others."""
    makers, report = {name: plugins.load("twins", name).open(context) for name in plugins.names("twins")}, Report()
    if processes == 1:
        found = passing.found(makers, passing.scenes(context.config, ENTRIES, report), context.config, report)
    else:
        found = passing.found_ahead(makers, ENTRIES, context, report, processes)
    pairs = [pair for each in found for name, one in each.items() for pair in makers[name].take(one)]
    images = [pixels.image(scene).tobytes() for pair in pairs for scene in pair.scenes]
    return [*pairs, *makers["matched"].rest()], images, report, context.refused


@pytest.fixture
def few(prior, tmp_path):
    """Eight pairs of an edit, so that the last of them are tried for nothing."""
    return lambda: PairContext(prior, with_settings(CONFIG, edited=8), tmp_path, Counter())


def test_one_two_and_three_processes_give_the_same_pairs_images_and_report(few, monkeypatch):
    monkeypatch.setattr(passing, "SHARD", 60)
    monkeypatch.setattr(passing, "PICTURED", 5)
    first, *others = (passed(few(), processes) for processes in (1, 2, 3))
    assert all(other == first for other in others)
    made = Counter(pair.twin for pair in first[0])
    assert min(made[name] for name in ("mirror", "paste", "remove")) >= 8
    assert made["matched"] > 100
    assert made["move"]
    assert first[2].stations["scenes for items"] == {"world": 120}


def test_no_edit_is_tried_when_there_are_enough(few, monkeypatch):
    makers = {"remove": plugins.load("twins", "remove").open(few())}
    tried = []
    monkeypatch.setattr(type(makers["remove"]), "look", lambda *given: tried.append(given) or [])
    makers["remove"].made = 7
    for n, _ in enumerate(passing.found(makers, passing.scenes(CONFIG, ENTRIES, Report()), CONFIG, Report())):
        makers["remove"].made += n == 2
    assert len(tried) == 3


def test_where_no_picture_is_at_hand_scenes_come_without_it(monkeypatch):
    entries = [entry._replace(fault="is not there" * (n < 3)) for n, entry in enumerate(ENTRIES[:4])]
    flags = {}

    class Source:
        def scenes(self, config, wanted, refused, pictured):  # noqa: ARG002
            flags.update(
                (entry.id, (wanted(entry.id), wanted(entry.id) and pictured(entry.id))) for entry in ENTRIES[:5]
            )
            return iter(())

    monkeypatch.setattr(sources, "load", lambda _: Source())
    assert list(passing.scenes(CONFIG, entries, Report())) == []
    assert list(flags.values()) == [(True, False)] * 3 + [(True, True), (False, False)]


def test_a_witness_passes_scenes_on_and_may_leave_some_out():
    def witness(scenes):
        return (replace(scene, captions=("seen",)) for scene in scenes if scene.id != "world/3")

    report = Report()
    seen = list(passing.scenes(CONFIG, ENTRIES[:20], report, witness))
    assert {scene.captions for scene in seen} == {("seen",)}
    assert report.stations["scenes for items"] == {"world": 19}
    assert report.captioned == 19
