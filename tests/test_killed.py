"""A killed build leaves nothing but its journal, and the next one has the bytes of one that was never killed."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

MAIN = """
from pstgen.cli import main
from pstgen.questions import facts
facts.MANY = 50  # scenes from which on there are worker processes
main(prog_name="pstgen")
"""
MODEL = ["--source", "world", "--scenes", "150", "--size", "64", "--vlm", "none", "--workers", "2"]
MODEL += ["--candidates", "8", "--wordings", "2", "--edited", "3"]  # a language model judges, and keeps a journal
QUICK = [*MODEL, "--lm", "none", "--scenes", "80"]
TIDY = 5.0  # seconds that what tidies up after a killed process may take


class Place:
    """A folder of datasets and a cache; each build has a folder of its own for temporary files."""

    def __init__(self, folder, options):
        self.folder, self.options, self.builds = folder, options, 0
        self.out, self.cache = folder / "out", folder / "cache"
        self.out.mkdir()

    def begin(self):
        self.builds += 1
        self.temporary = self.folder / f"tmp-{self.builds}"
        self.temporary.mkdir()
        env = os.environ | {"XDG_CACHE_HOME": str(self.cache), "TMPDIR": str(self.temporary)}
        command = [sys.executable, "-c", MAIN, "build", *self.options, "--out", str(self.out / "pst")]
        return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def build(self):
        """Build to the end; returns the hash of every file, and how long it took."""
        begun = time.monotonic()
        process = self.begin()
        _, told = process.communicate()
        assert process.returncode == 0, told
        return self.hashes(), time.monotonic() - begun

    def hashes(self):
        files = [path for path in (self.out / "pst").rglob("*") if path.is_file()]
        return {str(path.relative_to(self.out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def kill(self, how, after):
        """Begin a build and kill it after so many seconds; returns its exit code and what it said."""
        process = self.begin()
        time.sleep(after)
        others = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(how)
        _, told = process.communicate()
        until = time.monotonic() + TIDY
        while (left := self.left(others)) and time.monotonic() < until:
            time.sleep(0.05)
        assert left == [], (how, after)
        return process.returncode, told.decode()

    def left(self, processes):
        """What should not be there: drafts of datasets and of scenes, temporary files, processes."""
        drafts = [path for path in self.out.iterdir() if path.name != "pst" or not any(path.iterdir())]
        drafts += [path for path in self.cache.glob("pstgen/*") if path.name not in {"world", "verdicts"}]
        drafts += self.cache.rglob(".drafts-*")
        drafts += [path for path in self.temporary.iterdir() if path.name.startswith("pstgen-")]
        return drafts + [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def killed(place, right, how, after):
    """Kill a build and see that nothing stays of it. One that was quicker is whole, and then it is False."""
    code, told = place.kill(how, after)
    assert "Traceback" not in told
    if (place.out / "pst").exists():
        assert place.hashes() == right
        return False
    if how == signal.SIGTERM and code != -signal.SIGTERM:  # which it is before the command has begun
        assert code == 143, told
        assert "pstgen: terminated: nothing was written" in told
    elif how == signal.SIGKILL:
        assert code == -signal.SIGKILL
    return True


def test_a_build_that_was_terminated_and_then_killed_leaves_nothing_and_the_next_has_the_bytes_of_one_that_was_not(
    tmp_path_factory,
):
    right, took = Place(tmp_path_factory.mktemp("unharmed"), QUICK).build()
    rng, place = random.Random(13), Place(tmp_path_factory.mktemp("killed"), QUICK)
    for how in (signal.SIGTERM, signal.SIGKILL):
        after = rng.uniform(0.3, 0.8) * took
        while not killed(place, right, how, after):  # it was quicker than the one that was measured
            shutil.rmtree(place.out / "pst")
            after /= 2
    assert place.build()[0] == right


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory):
    """The bytes of a build that nobody killed, and how long it took."""
    return Place(tmp_path_factory.mktemp("unharmed"), MODEL).build()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_any_moment_a_build_leaves_nothing_but_its_journal_and_the_next_has_the_same_bytes(
    unharmed, tmp_path, seed
):
    right, took = unharmed
    place, how = Place(tmp_path, MODEL), (signal.SIGTERM, signal.SIGKILL)[seed % 2]
    if killed(place, right, how, random.Random(seed).uniform(0.0, 1.0) * took):
        assert place.build()[0] == right
