"""What the journal holds is listed by judge, and pruned by age and by judge; the room is given back."""

import sqlite3
import time
from contextlib import closing

import pytest

from pstgen.core.records import Unavailable
from pstgen.models import journal_file, journal_listing
from pstgen.models.journal import Journal


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def keep(judge, count, days=0.0, revision="1"):
    with Journal(judge, revision) as kept:
        kept.keep({f"{n:064}": (-1.0, -2.0) for n in range(count)}, {"x": (f"Is it {judge}?", "500 no")})
    with closing(sqlite3.connect(journal_file.path())) as file, file:
        when = time.time() - days * journal_listing.DAY
        file.execute("UPDATE judges SET used = ? WHERE name = ?", (when, judge))


def names():
    return [row.judge for row in journal_listing.held()]


def test_an_empty_cache_is_listed_and_not_made(cache):
    assert (journal_listing.held(), journal_listing.failed(), journal_listing.size()) == ([], [], 0)
    assert list(cache.iterdir()) == []


def test_judges_are_listed_with_what_they_have_the_last_used_first():
    keep("lm", 3, days=2)
    keep("vlm/seeing", 5)
    first, second = journal_listing.held()
    assert (first.judge, first.revision, first.verdicts, first.failed) == ("vlm/seeing", "1", 5, 1)
    assert (second.judge, second.verdicts) == ("lm", 3)
    assert second.size == 3 * (64 + 16 + journal_listing.OVERHEAD)
    assert second.used == pytest.approx(time.time() - 2 * journal_listing.DAY, abs=60)


def test_failed_questions_are_listed_with_their_reasons():
    keep("lm", 1)
    (row,) = journal_listing.failed()
    assert (row.judge, row.question, row.reason) == ("lm", "Is it lm?", "500 no")


def test_what_was_not_used_for_long_is_removed_and_the_file_is_smaller_by_what_is_said():
    keep("old", 20_000, days=100)
    keep("new", 10)
    before = journal_listing.size()
    pruned = journal_listing.prune(90)
    assert (pruned.verdicts, pruned.judges, pruned.reclaimed) == (20_000, 1, True)
    assert pruned.freed == before - journal_listing.size() > 0.9 * 20_000 * 80
    assert names() == ["new"]
    assert [row.judge for row in journal_listing.failed()] == ["new"]


def test_all_views_of_a_model_are_removed_by_its_name_and_others_stay():
    for judge in ("lm", "vlm/seeing", "vlm/no-image", "vlmore"):
        keep(judge, 1)
    assert journal_listing.prune(0, "vlm").judges == 2
    assert sorted(names()) == ["lm", "vlmore"]


def test_files_that_nothing_reads_are_removed_and_others_are_not():
    keep("lm", 1)
    folder = journal_file.path().parent
    for name in ("0" * 32 + ".jsonl", "journal-1.sqlite.damaged-20200101-000000-1", "mine.txt"):
        (folder / name).write_bytes(b"x" * 1000)
    assert journal_listing.prune(90).freed == 2000
    assert (folder / "mine.txt").exists()
    assert names() == ["lm"]


def test_what_a_run_adds_while_its_judge_is_pruned_is_no_other_judges():
    with Journal("lm", "1") as running:
        running.keep({"a": (-1.0,)})
        journal_listing.prune(0)
        keep("other", 1)
        running.keep({"b": (-2.0,)})
        assert running.known(["a", "b"]) == {"b": (-2.0,)}
    assert sorted((row.judge, row.verdicts) for row in journal_listing.held()) == [("lm", 1), ("other", 1)]


def test_while_another_process_writes_the_room_is_kept_for_later():
    keep("old", 2000, days=100)
    with closing(sqlite3.connect(journal_file.path(), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM verdicts").fetchone()
        pruned = journal_listing.prune(90)
    assert (pruned.verdicts, pruned.reclaimed) == (2000, False)
    assert names() == []
    assert journal_listing.prune(90).reclaimed
    assert journal_listing.size() < 100_000


def test_a_journal_that_cannot_be_read_is_the_machines_failing():
    journal_file.path().mkdir(parents=True)
    with pytest.raises(Unavailable, match=r"journal-1.sqlite: the journal cannot be used"):
        journal_listing.held()
