"""A night in four minutes: 200,000 items through the engine `local`, with a judge that sleeps as a device would compute.

    python benchmarks/endurance.py                    # a batch of 32 sleeps 40 ms: about four and a half minutes
    python benchmarks/endurance.py --items 20000

Items come with text alone, and every verdict is kept in the journal. Printed after every tenth are items a second, the share of the
time that the judge was busy, CPU time a batch, and the resident memory of the process then, not its peak.
"""

import os
import tempfile
import time
from dataclasses import dataclass

import psutil
import tables
from engines import BATCH, MORE, Sleeping

from pstgen.core.config import build_config
from pstgen.core.records import Item
from pstgen.models import engines

ITEMS, DEVICE_MS, PARTS = 200_000, 40.0, 10
BUSY, GROWTH = 0.95, 0.02  # the goals: of the time; of memory, from the second tenth to the last


class Timed(Sleeping):
    """Adds up how long it really slept: a sleep is a little longer than asked for, which is not the engine's doing."""

    def __init__(self, seconds: float, revision: str) -> None:
        super().__init__(seconds, revision)
        self.slept = 0.0

    def answer(self, batch):
        begun = time.perf_counter()
        time.sleep(self.seconds)
        self.slept += time.perf_counter() - begun
        yield from self.verdicts(batch)


@dataclass(frozen=True)
class Part:
    """A tenth of the run. cpu: seconds; memory: MiB at its end."""

    items: int
    seconds: float
    slept: float
    cpu: float
    memory: float

    def row(self) -> list[str]:
        batches = (self.items / BATCH) or 1
        return [
            f"{self.items / self.seconds:,.0f}",
            f"{self.slept / self.seconds:.1%}",
            f"{1e3 * (self.seconds - self.slept) / batches:.2f}",
            f"{1e3 * self.cpu / batches:.2f}",
            f"{self.memory:.1f}",
        ]


def run(items: list[Item], seconds: float) -> list[Part]:
    """All items, in PARTS tenths."""
    judge, process = Timed(seconds, str(time.time())), psutil.Process()
    verdicts = engines.load("local").run(judge, items, build_config(batch_size=BATCH))
    parts, length = [], len(items) // PARTS
    for _ in range(PARTS):
        begun, slept, cpu = time.perf_counter(), judge.slept, time.process_time()
        for _ in range(length):
            next(verdicts)
        parts.append(
            Part(
                length,
                time.perf_counter() - begun,
                judge.slept - slept,
                time.process_time() - cpu,
                process.memory_info().rss / 2**20,
            )
        )
    return parts


def verdict(parts: list[Part]) -> str:
    """Do the goals hold?"""
    busy = sum(part.slept for part in parts) / sum(part.seconds for part in parts)
    growth = parts[-1].memory / parts[1].memory - 1
    return (
        f"- In all the judge is busy {busy:.1%} of the time (goal: {BUSY:.0%}): {tables.verdict(busy >= BUSY)}.\n"
        f"- Memory grows by {growth:+.1%} from the second tenth to the last (goal: at most {GROWTH:.0%}): "
        f"{tables.verdict(growth <= GROWTH)}.\n\n{tables.load()}"
    )


def main() -> None:
    parser = tables.parser(__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--device-ms", type=float, default=DEVICE_MS, help=f"that a batch of {BATCH} takes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        items = [Item(item_id=f"i{n}", pair_id=f"p{n}", question=f"q{n}", **MORE) for n in range(given.items)]
        parts = run(items, given.device_ms / 1e3)
    head = [
        "items answered",
        "items a second",
        "judge busy",
        "engine's time a batch, ms",
        "CPU time a batch, ms",
        "memory, MiB",
    ]
    rows = [[f"{(n + 1) * part.items:,}", *part.row()] for n, part in enumerate(parts)]
    tables.show("endurance", f"{tables.table(head, rows, left=0)}\n\n{verdict(parts)}", given.write)


if __name__ == "__main__":
    main()
