"""SIGKILL at random moments of whole builds: is the finished set the one of a build that was never killed, and what was done twice?

    python benchmarks/kills.py                    # 50 kills
    python benchmarks/kills.py --kills 4 --seed 1

`pstgen build` draws a small world and asks the model that comes with pstgen in all its views. Each build has an empty cache, is killed
at a random moment, and is started again, until it ends by itself; then the next one begins, until there were so many kills. Half of the
moments are drawn from the time that an undisturbed build takes beside another, which is spent mostly on opening the model; the others from the
questions that it still has to be asked. Two builds go on at once, each with one thread. Every file of a finished set is compared, and
so is what lies beside it. What a model is asked is noted before it is asked: a question noted twice was done twice.

A build is a process forked from this one, in which Python's modules are loaded already, so that no time is spent on killing imports.
"""

import math
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import tables

KILLS, AT_ONCE, BATCH = 50, 2, 16
BUILD = (
    "--source",
    "world",
    "--scenes",
    "100",
    "--size",
    "64",
    "--family",
    "count",
    "--candidates",
    "12",
    "--wordings",
    "2",
)
WORDS = ("build", *BUILD, "--lm", "none", "--batch-size", str(BATCH), "--workers", "1", "--out")
POLL = 0.02  # seconds


@dataclass
class Build:
    """One set on its way. until: when it is killed; most: after how many questions in all.

    kills, late: how often it was killed, and how often of these after a model was asked in that run.
    """

    place: Path
    kills: int = 0
    late: int = 0
    noted: int = 0
    process: multiprocessing.Process | None = None
    until: float = math.inf
    most: float = math.inf

    @property
    def questions(self) -> list[str]:
        """In the order in which models were asked, each with its judge."""
        log = self.place / "questions"
        return log.read_text().splitlines() if log.exists() else []

    def start(self, until: float = math.inf, most: float = math.inf) -> None:
        """Run it, up to that moment or as many questions."""
        self.place.mkdir(exist_ok=True)
        self.noted, self.until, self.most = len(self.questions), until, most
        self.process = multiprocessing.get_context("fork").Process(target=child, args=(self.place,))
        self.process.start()

    def check(self) -> bool:
        """Kill it if it is time. Has it ended by itself? Ends the program where it failed."""
        due = time.monotonic() >= self.until or len(self.questions) >= self.most
        if due and self.process.is_alive():
            self.process.kill()
            self.process.join()
            if self.process.exitcode != 0:
                self.kills += 1
                self.late += len(self.questions) > self.noted
                self.process = None
                return False
        if self.process.is_alive():
            return False
        if self.process.exitcode:
            raise SystemExit(f"a build ended with {self.process.exitcode}:\n{(self.place / 'log').read_text()[-3000:]}")
        return True


def child(place: Path) -> None:
    """Build into the folder, with a cache and a folder for temporary files of its own, and note what is asked."""
    import torch

    from pstgen import cli
    from pstgen.models import answering

    answer = answering.answer
    log = os.open(place / "questions", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def noting(judge, batch):
        lines = (f"{judge.name} {judge.revision} {key}\n" for key in batch.unknown)
        os.write(log, "".join(lines).encode())
        return answer(judge, batch)

    answering.answer = noting
    torch.set_num_threads(1)
    (place / "tmp").mkdir(exist_ok=True)
    tempfile.tempdir = str(place / "tmp")
    os.environ |= {"XDG_CACHE_HOME": str(place / "cache"), "TMPDIR": tempfile.tempdir}
    output = os.open(place / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.argv = ["pstgen", *WORDS, str(place / "sets" / "pst")]
    cli.main()


def digest(place: Path) -> str:
    """Of the bytes and names of all files of the set, and of whatever a build left beside it or among temporary files."""
    whole = sha256()
    for folder in (place / "sets", place / "tmp"):
        for path in sorted(folder.rglob("*")):
            whole.update(f"{path.relative_to(place)}\n".encode())
            if path.is_file():
                whole.update(path.read_bytes())
    return whole.hexdigest()


@dataclass(frozen=True)
class Whole:
    """Of a build that is never killed. questions: to models."""

    seconds: float
    digest: str
    questions: int


def undisturbed(place: Path) -> Whole:
    """Build it once."""
    begun, whole = time.monotonic(), Build(place)
    whole.start()
    while not whole.check():
        time.sleep(POLL)
    took, questions = time.monotonic() - begun, whole.questions
    if len(set(questions)) != len(questions) or not questions:
        raise SystemExit(f"an undisturbed build asked {len(questions)} questions, {len(set(questions))} different ones")
    return Whole(took, digest(place), len(questions))


@dataclass
class Tried:
    """What came of it. equal: finished sets with the right bytes; twice: questions asked again, of every set."""

    finished: int = 0
    equal: int = 0
    kills: int = 0
    late: int = 0
    twice: list[int] = field(default_factory=list)

    def add(self, build: Build, right: str) -> None:
        questions = build.questions
        self.finished += 1
        self.equal += digest(build.place) == right
        self.kills += build.kills
        self.late += build.late
        self.twice.append(len(questions) - len(set(questions)))


def moment(build: Build, whole: Whole, chance: random.Random) -> tuple[float, float]:
    """When it is killed, and after how many questions in all; one of the two is never."""
    done = len(set(build.questions))
    if done < whole.questions and chance.random() < 0.5:
        return math.inf, len(build.questions) + chance.randint(1, whole.questions - done)
    return time.monotonic() + chance.uniform(0, AT_ONCE * whole.seconds), math.inf


def run(kills: int, whole: Whole, work: Path, chance: random.Random) -> Tried:
    """Builds, AT_ONCE at once, until there were so many kills; those that are under way then end undisturbed."""
    tried, running, number = Tried(), [], 0
    while True:
        left = kills - tried.kills - sum(build.kills for build in running)
        while left > 0 and len(running) < AT_ONCE:
            number += 1
            running.append(Build(work / str(number)))
        for build in running:
            if build.process is None:
                build.start(*(moment(build, whole, chance) if left > 0 else ()))
        for build in list(running):
            if left <= 0:
                build.until = build.most = math.inf
            if build.check():
                tried.add(build, whole.digest)
                running.remove(build)
                shutil.rmtree(build.place)
                print(f"set {tried.finished}: {build.kills} kills, {tried.equal} of {tried.finished} equal", flush=True)
        if not running:
            return tried
        time.sleep(POLL)


def text(tried: Tried, whole: Whole) -> str:
    """The table, and whether the goals hold."""
    repeated = sum(tried.twice) / max(1, tried.kills)
    rows = [
        ["an undisturbed build", f"{whole.seconds:.1f} s, {whole.questions:,} questions to models"],
        ["kills", f"{tried.kills}, of these {tried.late} after a model was asked in that run"],
        ["finished sets", f"{tried.finished}"],
        ["with the bytes of the undisturbed build, and nothing beside them", f"{tried.equal}"],
        [
            f"questions asked again, a kill (a batch holds {BATCH})",
            f"{repeated:.1f}, or {repeated / BATCH:.2f} of a batch",
        ],
    ]
    holds = tried.equal == tried.finished and repeated < BATCH
    return (
        f"{tables.table(['what', 'figure'], rows, left=2)}\n\nThe goals (the same bytes, and less than a batch done twice a kill) "
        f"{'hold' if holds else '**do not hold**'}. `pstgen {' '.join(WORDS[:-1])}`. {tables.load()}"
    )


def main() -> None:
    parser = tables.parser(__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args()
    for module in (
        "torch",
        "transformers",
        "sklearn.linear_model",
        "pyarrow.parquet",
        "pstgen.models.huggingface",
        "pstgen.cli",
        "pstgen.build",
    ):
        __import__(module)
    with tempfile.TemporaryDirectory(prefix="pstgen-kills-") as name:
        work = Path(name)
        whole = undisturbed(work / "whole")
        print(f"undisturbed: {whole.seconds:.1f} s, {whole.questions} questions", flush=True)
        tried = run(given.kills, whole, work, random.Random(given.seed))
    tables.show("kills", text(tried, whole), given.write)
    if tried.equal != tried.finished:
        raise SystemExit("a set that was killed on its way has other bytes")


if __name__ == "__main__":
    main()
