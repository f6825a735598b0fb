"""Promises of the journal's thread: nothing is written late or out of turn, and nothing that it raises is lost."""

import threading

import pytest

from pstgen.models.journal import Journal
from pstgen.models.journal_thread import JournalThread


class Slow:
    """A journal whose writes wait until they may go on."""

    def __init__(self):
        self.may, self.written = threading.Event(), []

    def known(self, keys):  # noqa: ARG002
        return {}

    def keep(self, verdicts, failed):  # noqa: ARG002
        assert self.may.wait(30)
        self.written.append(dict(verdicts))


def test_what_was_kept_since_the_lookup_began_is_known_and_so_is_what_was_written_before():
    with Journal("judge", "1") as file, JournalThread(file) as journal:
        journal.keep({"a": (-1.0,)}, {})
        journal.look_up(["a", "b", "c"])
        journal.keep({"b": (-2.0,)}, {})
        assert journal.known() == {"a": (-1.0,), "b": (-2.0,)}
    with Journal("judge", "1") as file:
        assert file.known(["a", "b", "c"]) == {"a": (-1.0,), "b": (-2.0,)}


def test_the_judge_does_not_wait_for_a_write_and_writes_keep_their_order():
    file = Slow()
    with JournalThread(file) as journal:
        journal.keep({"a": ()}, {})
        assert file.written == []
        file.may.set()
        journal.keep({"b": ()}, {})
    assert file.written == [{"a": ()}, {"b": ()}]


def test_an_error_of_a_write_is_raised_by_the_next_or_at_the_end():
    class Full(Slow):
        def keep(self, verdicts, failed):  # noqa: ARG002
            raise OSError("no space")

    for more in (0, 1):
        with pytest.raises(OSError, match="no space"), JournalThread(Full()) as journal:
            for key in "ab"[: 1 + more]:
                journal.keep({key: ()}, {})
