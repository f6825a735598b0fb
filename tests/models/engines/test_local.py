"""A judge's work is done once: what a killed run wrote down is not asked again."""

import json

import pytest

from pstgen.core.config import build_config
from pstgen.core.records import Item, Verdict
from pstgen.models import journal
from pstgen.models.engines import local


def items(n):
    told = {"role": "stress", "scene_id": "", "image": "", "family": "count", "form": "many", "about": ("cup",)}
    told |= {"frame": "neutral", "neutral": "", "options": ("1", "2"), "answer": "1", "lure": "2"}
    return [Item(item_id=f"i{k}", pair_id=f"p{k}", question=f"q{k}", **told) for k in range(n)]


class Counted:
    """Answers by the number in the question; counts how often it is asked; breaks when told to."""

    name, revision, sees, durable = "counted", "1", False, True

    def __init__(self, breaks_at=10**9):
        self.asked, self.breaks_at = [], breaks_at

    def key(self, item):
        return item.question

    def answer(self, some):
        for item in some:
            if len(self.asked) == self.breaks_at:
                raise KeyboardInterrupt
            self.asked.append(item.question)
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=(-float(item.item_id[1:]), -1.0))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def run(judge, n, **config):
    return list(local.run(judge, items(n), build_config(batch_size=4, **config)))


def test_a_killed_run_goes_on_where_it_stopped():
    with pytest.raises(KeyboardInterrupt):
        run(Counted(breaks_at=10), 20)
    again = Counted()
    told = run(again, 20)
    assert [verdict.logprobs[0] for verdict in told] == [-float(n) for n in range(20)]
    assert again.asked == [f"q{n}" for n in range(10, 20)]


def test_a_half_written_line_is_asked_again(cache):
    run(Counted(), 6)
    (file,) = cache.rglob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-5])
    again = Counted()
    run(again, 6)
    assert again.asked == ["q5"]
    assert [json.loads(line)["key"] for line in file.read_text().splitlines()] == [f"q{n}" for n in range(6)]


def test_a_damaged_line_is_taken_out_alone_and_that_is_said(cache, caplog):
    run(Counted(), 6)
    (file,) = cache.rglob("*.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:2], b"\xff?" + lines[2], *lines[3:]]))
    again = Counted()
    run(again, 6)
    assert again.asked == ["q2"]
    assert "damaged lines taken out: 1" in caplog.text
    assert sorted(file.read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_two_runs_at_once_keep_what_both_were_told(cache):
    first, second = (journal.Journal(cache / "journal.jsonl") for _ in range(2))
    for n in range(20):
        first.add(f"a{n}", (-1.0,))
        second.add(f"b{n}", (-2.0,))
    first.close()
    second.close()
    kept = journal.Journal(cache / "journal.jsonl")
    assert kept.known == {f"a{n}": (-1.0,) for n in range(20)} | {f"b{n}": (-2.0,) for n in range(20)}
    kept.close()


def test_another_revision_is_another_judge():
    run(Counted(), 6)
    newer = Counted()
    newer.revision = "2"
    run(newer, 6)
    assert len(newer.asked) == 6


def test_without_a_cache_the_run_goes_on(cache, monkeypatch):
    (cache / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "file"))
    assert len(run(Counted(), 6)) == 6


def test_a_judge_that_skips_an_item_is_an_error():
    class Lazy(Counted):
        durable = False

        def answer(self, some):
            return super().answer(some[1:])

    with pytest.raises(RuntimeError, match="not a verdict on i0"):
        run(Lazy(), 4)
