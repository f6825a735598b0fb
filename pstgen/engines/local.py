"""In this process, one batch after another, with a journal for judges whose work is worth keeping."""

import logging
from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import BufferedRandom
from pathlib import Path

import msgspec
import platformdirs

from pstgen.config import BuildConfig
from pstgen.judges import Judge
from pstgen.records import Item, Verdict

LOG = logging.getLogger("pstgen")


class Line(msgspec.Struct):
    """One line of the journal."""

    key: str
    logprobs: tuple[float, ...]


def run(judge: Judge, items: Sequence[Item], config: BuildConfig, /) -> Iterator[Verdict]:
    """Judge in batches; verdicts of a killed run that are in the journal are not asked for again.

    Raises RuntimeError where a judge does not give one verdict an item, in order.
    """
    if not judge.durable:
        yield from _checked(items, judge.answer(items))
        return
    journal = Journal(_file(judge))
    try:
        for start in range(0, len(items), config.batch_size):
            yield from _batch(judge, items[start : start + config.batch_size], journal)
    finally:
        journal.close()


def _batch(judge: Judge, items: Sequence[Item], journal: "Journal") -> Iterator[Verdict]:
    keys = [judge.key(item) for item in items]
    new = {key: item for key, item in zip(keys, items, strict=True) if key not in journal.known}
    for key, verdict in zip(new, _checked(list(new.values()), judge.answer(list(new.values()))), strict=True):
        journal.add(key, verdict.logprobs)
    for key, item in zip(keys, items, strict=True):
        yield Verdict(item_id=item.item_id, judge=judge.name, logprobs=journal.known[key])


def _checked(items: Sequence[Item], verdicts: Iterator[Verdict]) -> Iterator[Verdict]:
    for item, verdict in zip(items, verdicts, strict=True):
        if verdict.item_id != item.item_id or len(verdict.logprobs) != len(item.options):
            raise RuntimeError(f"{verdict.judge}: not a verdict on {item.item_id}")
        yield verdict


def _file(judge: Judge) -> Path:
    name = sha256(f"{judge.name} {judge.revision}".encode()).hexdigest()[:32]
    return Path(platformdirs.user_cache_dir("pstgen")) / "verdicts" / f"{name}.jsonl"


class Journal:
    """Verdicts by key, one JSON line each; what a killed run left half written is cut off.

    A cache folder that cannot be written is no error: the run goes on without a journal.
    """

    def __init__(self, path: Path) -> None:
        self.known: dict[str, tuple[float, ...]] = {}
        self.file: BufferedRandom | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            self.file = path.open("r+b")
            self._recover(self.file)
        except OSError as error:
            LOG.info("no journal at %s: %s", path, error)

    def _recover(self, file: BufferedRandom) -> None:
        good = 0
        for line in file:
            try:
                read = msgspec.json.decode(line, type=Line)
            except msgspec.DecodeError:
                break
            if not line.endswith(b"\n"):
                break
            self.known[read.key] = read.logprobs
            good += len(line)
        file.truncate(good)
        file.seek(good)

    def add(self, key: str, logprobs: tuple[float, ...]) -> None:
        """Remember, and write at once."""
        self.known[key] = logprobs
        if self.file:
            self.file.write(msgspec.json.encode(Line(key=key, logprobs=logprobs)) + b"\n")
            self.file.flush()

    def close(self) -> None:
        """Let go of the file."""
        if self.file:
            self.file.close()
