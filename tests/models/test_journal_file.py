"""The journal's file fits where it lies, and is set aside once, whoever finds the damage."""

from contextlib import closing

import pytest

from pstgen.core import file_systems
from pstgen.models import journal_file


@pytest.mark.parametrize(("line", "mode"), [("", "wal"), ("server:/ {} nfs4 rw 0 0", "delete")])
def test_the_file_is_written_ahead_only_where_all_processes_are_on_this_machine(tmp_path, monkeypatch, line, mode):
    (tmp_path / "mounts").write_text(line.format(tmp_path.resolve()))
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "mounts")
    with closing(journal_file.open(tmp_path / "cache" / "journal.sqlite")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)


def test_of_two_that_find_one_damage_the_second_leaves_the_new_file_alone(tmp_path, caplog):
    file = tmp_path / "journal.sqlite"
    file.write_bytes(b"no database " * 1000)
    journal_file.heal(file)
    journal_file.open(file).close()
    journal_file.heal(file)
    assert len(caplog.records) == 1
    assert sum(".damaged-" in path.name for path in tmp_path.iterdir()) == 1
    assert file.exists()
