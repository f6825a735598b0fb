"""What the engines add to a judge's own time, and what the journal takes.

    python benchmarks/engines.py                            # Ray is left out where it is not installed
    python benchmarks/engines.py --items 20000 --device-ms 40 --ray 2

The judge sleeps for every batch of 32 as a device would compute. Of each engine: items a second, the share of the time that the device
is busy, what a batch takes beyond the sleep, and the most memory that the process has held after a tenth of the items and in the end.
Of the journal alone: adding and looking up, a batch at a time.
"""

import os
import resource
import tempfile
import time
from hashlib import sha256
from importlib.util import find_spec

import tables

from pstgen.core.config import build_config
from pstgen.core.records import Item, Verdict
from pstgen.models import engines, journal_file
from pstgen.models.journal import Journal

BATCH = 32
MORE = {"role": "stress", "scene_id": "", "image": "", "family": "count", "form": "many", "about": ("cup",)}
MORE |= {"frame": "neutral", "neutral": "", "options": ("1", "2", "3", "4"), "answer": "1", "lure": "2"}


class Sleeping:
    """Answers a batch after so many seconds."""

    name, sees, durable = "sleeping", False, True

    def __init__(self, seconds, revision):
        self.seconds, self.revision = seconds, revision

    def key(self, item):
        return sha256(item.question.encode()).hexdigest()

    def answer(self, batch):
        time.sleep(self.seconds)
        yield from self.verdicts(batch)

    def verdicts(self, batch):
        for item in batch:
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=(-1.0, -2.0, -3.0, -4.0))


def megabytes():
    """The most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def engine(name, items, seconds, workers):
    """Run it once; a row of figures."""
    judge = Sleeping(seconds, f"{name} {time.time()}")
    config = build_config(batch_size=BATCH, engine=name, workers=workers)
    verdicts = engines.load(name).run(judge, items, config)
    if name == "ray":
        next(iter(engines.load(name).run(Sleeping(0, "warm"), items[:BATCH], config)))  # workers stand
    begun, early = time.monotonic(), 0.0
    for n, _ in enumerate(verdicts, 1):
        if n == len(items) // 10:
            early = megabytes()
    took = time.monotonic() - begun
    slept = seconds * len(items) / BATCH / workers
    more = f"{1e3 * (took - slept) / len(items) * BATCH:.2f} ms"
    memory = f"{early:,.0f} and {megabytes():,.0f} MB"
    return [f"`{name}`, {workers} at work", f"{len(items) / took:,.0f}", f"{slept / took:.1%}", more, memory]


def journal(count):
    """Add and look up so many verdicts, a batch at a time; a sentence of figures."""
    keys = [sha256(str(n).encode()).hexdigest() for n in range(count)]
    took = []
    for _ in ("adding", "looking up"):
        begun = time.monotonic()
        with Journal("judge", "1") as kept:
            for start in range(0, count, BATCH):
                batch = keys[start : start + BATCH]
                found = kept.known(batch)
                if not found:
                    kept.keep(dict.fromkeys(batch, (-1.0, -2.0, -3.0, -4.0)))
        took.append(time.monotonic() - begun)
    size = journal_file.path().stat().st_size / 1e6
    return (
        f"The journal alone: {count:,} verdicts in batches of {BATCH} are added in {took[0]:.1f} s and looked up in {took[1]:.1f} s; "
        f"its file has {size:.1f} MB."
    )


def main():
    """Run them all."""
    parser = tables.parser(__doc__)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--device-ms", type=float, default=40.0, help=f"that a batch of {BATCH} takes")
    parser.add_argument("--verdicts", type=int, default=200_000, help="in the journal")
    parser.add_argument("--ray", type=int, default=2, help="workers; 0 leaves Ray out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        items = [Item(item_id=f"i{n}", pair_id=f"p{n}", question=f"q{n}", **MORE) for n in range(given.items)]
        rows = [engine("local", items, given.device_ms / 1e3, 1)]
        if given.ray and find_spec("ray"):
            rows.append(engine("ray", items, given.device_ms / 1e3, given.ray))
        elif given.ray:
            rows.append([f"`ray`, {given.ray} at work", "not installed", "", "", ""])
        line = journal(given.verdicts)
    head = ["engine", "items a second", "device busy", "more a batch", "memory after a tenth, and at the end"]
    tables.show("engines", f"{tables.table(head, rows)}\n\n{line} {tables.load()}", given.write)


if __name__ == "__main__":
    main()
