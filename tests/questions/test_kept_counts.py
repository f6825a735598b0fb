"""Promises of the kept counts: they are what counting gives, and they are only taken where everything is as it was."""

import pytest

from pstgen.core import plugins
from pstgen.core.config import build_config, with_settings
from pstgen.questions import facts, kept_counts
from pstgen.scenes import coco_files
from pstgen.scenes.sources import coco, world


@pytest.fixture
def root(tmp_path, photographs, monkeypatch):
    """Sixteen photographs, and a cache that nobody else uses."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(kept_counts, "LEAST", 5)
    photographs(tmp_path / "coco", "val2017", range(1, 17))
    coco_files.read.cache_clear()
    return tmp_path / "coco"


@pytest.fixture
def counted(monkeypatch):
    """How many scenes are counted, in calls without an image and with one."""
    calls, observe = [], facts.observe

    def counting(config, entries, pictured, *more):
        calls.append((len(entries), len(pictured)))
        yield from observe(config, entries, pictured, *more)

    monkeypatch.setattr(facts, "observe", counting)
    return calls


def seen(config, pictured=()):
    total = facts.Observed()
    for shard in kept_counts.observe(config, coco.index(config), frozenset(pictured), 1):
        total.add(shard)
    return total


def test_what_is_kept_is_what_was_counted_in_its_order_and_is_not_counted_again(root, counted):
    config = build_config(root=root)
    first, second = seen(config), seen(config)
    assert first == second
    assert list(first.tally) == list(second.tally)
    assert first.wanted == second.wanted == 16
    assert counted == [(16, 0), (0, 0), (0, 0)]


def test_images_are_looked_at_every_time(root, counted):
    config = build_config(root=root)
    pictured = {entry.id for entry in coco.index(config)[:4]}
    first, second = seen(config, pictured), seen(config, pictured)
    assert first == second
    assert first.pictured == 4
    assert counted == [(12, 0), (4, 4), (4, 4)]
    plain = facts.Observed()
    for shard in facts.observe(config, coco.index(config), frozenset(pictured), 1):
        plain.add(shard)
    assert plain.tally == first.tally


@pytest.mark.parametrize("change", ["annotations", "families", "code", "damage", "scenes"])
def test_where_anything_is_another_it_is_counted_anew(root, counted, change, monkeypatch, tmp_path):
    config = build_config(root=root)
    before = seen(config)
    if change == "annotations":
        file = root / "annotations" / "captions_val2017.json"
        file.write_bytes(file.read_bytes().replace(b" ", b"  ", 1))
        coco_files.read.cache_clear()
    elif change == "families":
        config = with_settings(config, families=("count", "existence"))
    elif change == "code":
        monkeypatch.setattr(kept_counts, "_code", lambda: "another")
    elif change == "damage":
        (file,) = (tmp_path / "cache" / "pstgen" / "counts").iterdir()
        file.write_bytes(file.read_bytes()[:-3])
    else:
        for entry in list(coco.index(config))[8:]:
            (root / "val2017" / entry.image).unlink()
        first = coco.index(config)[:8]
        monkeypatch.setattr(coco, "index", lambda _: first)
    after = seen(config)
    assert [call for call in counted if call[0]] == [(16, 0), (8 if change == "scenes" else 16, 0)]
    assert (after.tally == before.tally) == (change in {"code", "damage", "annotations"})


def test_of_a_source_that_gives_its_images_unasked_nothing_is_kept(monkeypatch, tmp_path):
    """As the built-in world does: its images stand for others later, and a second build must have the same."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kept_counts, "LEAST", 5)
    config = build_config(source="world", scenes=12, size=64, families=("count",))
    entries = world.index(config)
    first, second = (list(kept_counts.observe(config, entries, frozenset(), 1)) for _ in range(2))
    assert first == second
    assert sum(len(shard.images) for shard in first) == 12
    assert not (tmp_path / "pstgen" / "counts").exists()


def test_of_somebody_elses_family_nothing_is_kept(root, counted, monkeypatch, tmp_path):
    load = plugins.load

    class Foreign:
        def __getattr__(self, name):
            return getattr(load("families", "count"), name) if name != "__name__" else "theirs.count"

    monkeypatch.setattr(plugins, "load", lambda folder, name: Foreign() if name == "count" else load(folder, name))
    config = build_config(root=root, families=("count",))
    seen(config)
    seen(config)
    assert counted == [(16, 0), (16, 0)]
    assert not (tmp_path / "cache" / "pstgen" / "counts").exists()


def test_where_the_cache_cannot_be_written_it_is_counted_every_time(root, counted, tmp_path):
    (tmp_path / "cache" / "pstgen").mkdir(parents=True)
    (tmp_path / "cache" / "pstgen" / "counts").write_text("no folder")
    config = build_config(root=root)
    assert seen(config) == seen(config)
    assert [call for call in counted if call[0]] == [(16, 0), (16, 0)]


def test_only_the_latest_files_stay(root, monkeypatch, tmp_path):
    monkeypatch.setattr(kept_counts, "MOST", 2)
    for n in range(4):
        monkeypatch.setattr(kept_counts, "_code", lambda n=n: f"version {n}")
        seen(build_config(root=root))
    assert len(list((tmp_path / "cache" / "pstgen" / "counts").glob("*.msgpack"))) == 2
