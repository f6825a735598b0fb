"""Verdicts of models, kept in the user's cache, so that asking again needs no model."""

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


def path(judge: str, revision: str) -> Path:
    """The journal of a judge at a revision, in the user's cache."""
    name = sha256(f"{judge} {revision}".encode()).hexdigest()[:32]
    return Path(platformdirs.user_cache_dir("pstgen")) / "verdicts" / f"{name}.jsonl"


class Journal:
    """Verdicts by key, one JSON line each; a line that a killed run left half written is cut off.

    Where the cache folder cannot be written, the run goes on without a journal.
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
        sound = 0  # bytes
        for line in file:
            try:
                entry = msgspec.json.decode(line, type=Line)
            except msgspec.DecodeError:
                break
            if not line.endswith(b"\n"):
                break
            self.known[entry.key] = entry.logprobs
            sound += len(line)
        file.truncate(sound)
        file.seek(sound)

    def add(self, key: str, logprobs: tuple[float, ...]) -> None:
        """Keep a verdict, and write it at once."""
        self.known[key] = logprobs
        if self.file:
            self.file.write(msgspec.json.encode(Line(key=key, logprobs=logprobs)) + b"\n")
            self.file.flush()

    def close(self) -> None:
        """Close the file."""
        if self.file:
            self.file.close()
