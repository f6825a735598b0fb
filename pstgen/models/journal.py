"""Verdicts of models, kept in the user's cache: whoever asks again gets them without a model."""

import logging
from hashlib import sha256
from io import BufferedRandom
from pathlib import Path

import msgspec
import platformdirs

LOG = logging.getLogger("pstgen")


class Line(msgspec.Struct):
    """One line of the journal."""

    key: str
    logprobs: tuple[float, ...]


def file(judge: str, revision: str) -> Path:
    """Where the verdicts of a judge are kept: in the user's cache, apart by revision."""
    name = sha256(f"{judge} {revision}".encode()).hexdigest()[:32]
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
