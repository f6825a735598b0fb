"""Processes that train and evaluate end with the run."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pstgen.evaluation import processes


def test_what_fails_stops_what_has_not_begun(monkeypatch):
    monkeypatch.setattr(processes, "POLL_SECONDS", 0.01)
    polls = []
    with ThreadPoolExecutor(1) as workers:
        failing = workers.submit(lambda: time.sleep(0.1) or 1 / 0)
        waiting = [workers.submit(time.sleep, 0.1) for _ in range(3)]
        first = next(processes.as_completed([failing, *waiting], lambda: polls.append(1)))
        assert isinstance(first.exception(), ZeroDivisionError)
    assert waiting[-1].cancelled()
    assert len(polls) > 1


def test_who_trains_ends_with_the_run_that_is_killed(tmp_path):
    """A killed run leaves no process behind that goes on training."""
    code = (
        "import os, time\n"
        "from pstgen.evaluation import processes\n"
        "if __name__ == '__main__':\n"
        "    with processes.worker_pool() as workers:\n"
        "        print(workers.submit(os.getpid).result(), flush=True)\n"
        "        workers.submit(time.sleep, 60).result()\n"
    )
    (tmp_path / "train.py").write_text(code)
    with subprocess.Popen([sys.executable, tmp_path / "train.py"], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        if not Path(f"/proc/{worker}").exists() or "\nState:\tZ" in Path(f"/proc/{worker}/status").read_text():
            return
        time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("it goes on")
