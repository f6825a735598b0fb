"""What the engines add to a judge's own time: `python benchmarks/engines.py [--items 20000] [--device-ms 40] [--ray 2]`.

The judge sleeps for every batch of 32 as a device would compute. Printed are items a second, the share of the time that the device is
busy, memory that grows between the first and the last tenth of the items, and the journal alone: adding and looking up.
"""

import argparse
import os
import resource
import tempfile
import time
from hashlib import sha256

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
        for item in batch:
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=(-1.0, -2.0, -3.0, -4.0))


def megabytes():
    """The most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def engine(name, items, seconds, workers):
    """Run it once; a line of figures."""
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
    devices = workers if name == "ray" else 1
    busy = seconds * len(items) / BATCH / devices / took
    print(
        f"{name}, {devices} at work: {len(items) / took:,.0f} items/s, busy {busy:.1%}, "
        f"{1e3 * (took - seconds * len(items) / BATCH / devices) / len(items) * BATCH:.2f} ms more a batch, "
        f"memory {early:,.0f} MB after a tenth, {megabytes():,.0f} MB in the end"
    )


def journal(count):
    """Add and look up so many verdicts, a batch at a time."""
    keys = [sha256(str(n).encode()).hexdigest() for n in range(count)]
    for what in ("adding", "looking up"):
        begun = time.monotonic()
        with Journal("judge", "1") as kept:
            for start in range(0, count, BATCH):
                some = keys[start : start + BATCH]
                found = kept.known(some)
                if not found:
                    kept.keep(dict.fromkeys(some, (-1.0, -2.0, -3.0, -4.0)))
        print(f"journal: {what} {count:,} verdicts: {time.monotonic() - begun:.1f} s")
    print(f"journal: {journal_file.path().stat().st_size / 1e6:.1f} MB")


def main():
    """Run them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--device-ms", type=float, default=40.0)
    parser.add_argument("--verdicts", type=int, default=200_000)
    parser.add_argument("--ray", type=int, default=0, help="workers; 0 leaves Ray out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        items = [Item(item_id=f"i{n}", pair_id=f"p{n}", question=f"q{n}", **MORE) for n in range(options.items)]
        engine("local", items, options.device_ms / 1e3, 1)
        if options.ray:
            engine("ray", items, options.device_ms / 1e3, options.ray)
        journal(options.verdicts)


if __name__ == "__main__":
    main()
