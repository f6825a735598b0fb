"""The journal keeps what judges said: by judge, revision and key, for several processes, and whatever becomes of its file."""

import math
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from pstgen.models import journal_file, resume
from pstgen.models.journal import Journal

WRITER = """
import sys
from pstgen.models.journal import Journal
with Journal("judge", "1") as kept:
    for n in range(150):
        kept.keep({f"{sys.argv[1]}{n}": (-float(n),)})
"""
ENDLESS = """
from pstgen.models.journal import Journal
with Journal("judge", "1") as kept:
    for batch in range(10**6):
        kept.keep({f"{batch}/{n}": (-1.0, -2.0) for n in range(8)})
        print(batch, flush=True)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(resume, "RUN", resume.Run())
    return tmp_path


def kept(judge="judge", revision="1", keys=("a", "b", "c")):
    with Journal(judge, revision) as opened:
        return opened.known(keys)


def keep(verdicts, judge="judge", revision="1", **failed):
    with Journal(judge, revision) as opened:
        opened.keep(verdicts, failed)


def test_a_verdict_comes_back_to_the_last_bit_whatever_its_numbers_are():
    logprobs = (-1 / 3, -math.inf, 5e-324, -1e308, 0.0)
    keep({"a": logprobs, "b": ()})
    assert kept() == {"a": logprobs, "b": ()}


def test_a_verdict_belongs_to_its_judge_at_its_revision():
    keep({"a": (-1.0,)})
    assert kept("judge", "2") == kept("other") == {}


def test_more_keys_are_looked_up_than_a_statement_takes():
    keep({str(n): (-float(n),) for n in range(40_000)})
    found = kept(keys=[str(n) for n in range(0, 80_000, 2)])
    assert found == {str(n): (-float(n),) for n in range(0, 40_000, 2)}


def test_what_failed_is_noted_until_it_is_answered():
    keep({"a": (-1.0,)}, b=("Is it?", "500 no"))
    with closing(sqlite3.connect(journal_file.path())) as file:
        assert file.execute("SELECT key, question, reason FROM failures").fetchall() == [("b", "Is it?", "500 no")]
    assert kept() == {"a": (-1.0,)}
    keep({"b": (-2.0,)})
    with closing(sqlite3.connect(journal_file.path())) as file:
        assert file.execute("SELECT count(*) FROM failures").fetchone() == (0,)


def test_several_processes_add_at_once_and_nothing_is_lost():
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    keys = [f"{name}{n}" for name in "ab" for n in range(150)]
    assert kept(keys=keys) == {key: (-float(key[1:]),) for key in keys}


def test_a_killed_process_loses_no_batch_that_it_had_finished():
    with subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, text=True) as process:
        said = [int(process.stdout.readline()) for _ in range(30)]
        process.kill()
    keys = [f"{batch}/{n}" for batch in said for n in range(8)]
    assert len(kept(keys=keys)) == len(keys)
    with closing(sqlite3.connect(journal_file.path())) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("SELECT count(*) % 8 FROM verdicts").fetchone() == (0,)  # whole batches alone


def overwrite(start, count):
    """Damage the file as a bad disk would."""
    with closing(sqlite3.connect(journal_file.path())) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with journal_file.path().open("r+b") as file:
        file.seek(start)
        file.write(b"\x5a" * count)


@pytest.mark.parametrize(("start", "count"), [(0, 100), (4096, 40_000)])
def test_a_damaged_file_is_set_aside_with_one_line_and_the_run_goes_on(caplog, start, count):
    many = {str(n): (-float(n),) for n in range(3000)}
    keep(many)
    overwrite(start, count)
    with Journal("judge", "1") as opened:
        opened.known(list(many))
        opened.keep({"a": (-1.0,)})
        assert opened.known(["a", "7"]) == {"a": (-1.0,)}
    assert kept() == {"a": (-1.0,)}
    (line,) = [record.message for record in caplog.records]
    (aside,) = [file for file in journal_file.path().parent.iterdir() if ".damaged-" in file.name]
    assert line.startswith(f"{journal_file.path()}: is damaged and was set aside as {aside.name}")


def test_a_file_that_is_damaged_while_it_is_used_is_set_aside_and_what_comes_then_is_kept(caplog):
    many = {str(n): (-float(n),) for n in range(3000)}
    keep(many)
    with Journal("judge", "1") as opened:
        overwrite(4096, 100_000)
        assert opened.known(list(many)) == {}
        opened.keep({"a": (-1.0,)})
    assert kept() == {"a": (-1.0,)}
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_disk_that_takes_no_more_costs_the_journal_and_not_the_run(monkeypatch, caplog):
    with Journal("judge", "1") as opened:
        opened.keep({"a": (-1.0,)})
        opened._connection.execute("PRAGMA max_page_count=1")  # SQLITE_FULL from here on
        real = journal_file.open

        def full(file):
            connection = real(file)
            connection.execute("PRAGMA max_page_count=1")
            return connection

        monkeypatch.setattr(journal_file, "open", full)
        more = {str(n): (-1.0,) * 50 for n in range(500)}
        opened.keep(more)
        assert opened.known(["3"]) == {"3": more["3"]}
    assert "full" in caplog.text
    assert kept() == {"a": (-1.0,)}


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_where_there_can_be_no_file_the_run_goes_on_and_remembers(cache, kind):
    journal_file.path().parent.parent.mkdir(parents=True)
    if kind == "file":
        journal_file.path().parent.write_text("")
    elif kind == "link":
        journal_file.path().parent.mkdir()
        journal_file.path().symlink_to(cache / "elsewhere")
    else:
        journal_file.path().mkdir(parents=True)
    with Journal("judge", "1") as opened:
        opened.keep({"a": (-1.0,)})
        assert opened.known(["a"]) == {"a": (-1.0,)}
    assert not (cache / "elsewhere").exists()
