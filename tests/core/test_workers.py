"""Promises of work in several processes: the results do not depend on how many there are."""

import logging
import operator
import os
import signal
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstgen.core import workers
from pstgen.core.records import Unavailable


@pytest.fixture(scope="module", autouse=True)
def _none_left():
    yield
    workers.stop()


@pytest.mark.parametrize("processes", [1, 2, 7])
def test_one_two_and_seven_workers_give_the_same_in_the_same_order(processes):
    numbers = list(range(100))
    assert list(workers.parallel_map(operator.neg, numbers, processes, batch=3)) == [-n for n in numbers]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers()), st.integers(1, 20))
def test_no_item_is_lost_or_moved_whatever_the_size_of_a_batch(numbers, batch):
    assert list(workers.parallel_map(operator.neg, numbers, 2, batch)) == [-n for n in numbers]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_exception_of_the_function_reaches_the_caller_and_the_next_call_works(processes):
    results = workers.parallel_map(partial(operator.truediv, 1), [1, 2, 0, 4], processes, batch=1)
    assert [next(results), next(results)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(workers.parallel_map(operator.neg, [1, 2], processes)) == [-1, -2]


def test_a_killed_worker_is_unavailable_with_advice_and_the_next_call_works():
    with pytest.raises(Unavailable, match="fewer --workers"):
        list(workers.parallel_map(os._exit, [9, 9], 2, batch=1))
    assert list(workers.parallel_map(operator.neg, [1, 2], 2)) == [-1, -2]


@pytest.mark.parametrize("processes", [1, 2])
def test_items_are_taken_as_they_are_needed_and_not_all_at_once(processes):
    taken = []
    items = (taken.append(n) or n for n in range(10**6))
    results = workers.parallel_map(operator.neg, items, processes, batch=2)
    assert [next(results) for _ in range(5)] == [0, -1, -2, -3, -4]
    assert len(taken) <= 5 + 2 * (processes * workers.AHEAD + 1)


def test_one_worker_is_this_process_itself():
    assert next(workers.parallel_map(lambda _: os.getpid(), [0], 1)) == os.getpid()
    assert next(workers.parallel_map(lambda _: os.getpid(), [0], 2)) != os.getpid()


def test_after_stop_no_worker_is_left():
    list(workers.parallel_map(operator.neg, [1, 2], 2))
    pool = {process.pid for process in psutil.Process().children() if "popen_loky" in " ".join(process.cmdline())}
    assert pool
    workers.stop()
    assert not pool & {process.pid for process in psutil.Process().children() if process.status() != "zombie"}


@pytest.mark.slow
def test_workers_wait_for_work_longer_than_the_parent_takes_between_two_stations():
    """One that ends just as work comes costs a warning; where that is an error, nobody answers any more."""
    pids = set(workers.parallel_map(_pid_after, [0.2] * 4, 2, batch=1))
    time.sleep(12)
    assert pids == set(workers.parallel_map(_pid_after, [0.2] * 4, 2, batch=1))


def _pid_after(seconds):
    time.sleep(seconds)
    return os.getpid()


BUSY = """
import time
import warnings
from pstgen.core import workers
for _ in workers.parallel_map(time.sleep, [0, 0] + [60] * 9, 2, batch=1):
    print("working", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_workers_end_with_their_parent_even_where_it_is_killed():
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline()
        children = psutil.Process(parent.pid).children(recursive=True)
        parent.send_signal(signal.SIGKILL)
    assert len(children) >= 2
    until = time.monotonic() + 5
    while time.monotonic() < until and any(child.is_running() for child in children):
        time.sleep(0.05)
    assert not [child for child in children if child.is_running() and child.status() != "zombie"]


def logs(number):
    logging.getLogger("pstgen").warning("%s: number %d", Path("here"), number)
    return number


def test_what_a_worker_logs_the_parent_logs_once_and_nothing_is_printed(caplog, capfd):
    """So that it reaches --log FILE."""
    assert list(workers.parallel_map(logs, range(5), 2, batch=2)) == [0, 1, 2, 3, 4]
    assert caplog.messages == [f"here: number {n}" for n in range(5)]
    assert capfd.readouterr().err == ""


held = []


def grows(megabytes):
    held.append(bytearray(megabytes * 2**20))
    time.sleep(0.7)
    return os.getpid()


def test_a_worker_that_keeps_much_in_memory_stays_without_a_warning():
    """Annotations of train2017 are more than loky allows a process to grow."""
    workers.stop()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        pids = set(workers.parallel_map(grows, [1, 1, 200, 200, 200, 200, 1, 1], 2, batch=1))
    workers.stop()
    assert warned == []
    assert len(pids) == 2


class Counted:
    """Counts how often it was unpacked in this process."""

    times = 0

    def __setstate__(self, state):
        type(self).times += 1

    def __getstate__(self):
        return {"some": "state"}


def unpacked(shared, _):
    return os.getpid(), shared.value.times


def test_what_is_shared_is_unpacked_once_a_worker_however_many_batches_it_gets():
    seen = list(workers.parallel_map(partial(unpacked, workers.Shared(Counted())), range(12), 2, batch=1))
    assert {times for _, times in seen} == {1}
