"""Verdicts of models, kept in the user's cache, so that asking again needs no model."""

import logging
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec
import platformdirs

from pstgen.core import locks

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
    """Verdicts by key, one JSON line each; several processes may add to it at once.

    Lines that were damaged are taken out, and one that a killed run left half written is cut off. Where the cache folder
    cannot be written, the run goes on without a journal.
    """

    def __init__(self, path: Path) -> None:
        self.known: dict[str, tuple[float, ...]] = {}
        self.file: BinaryIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = locks.open_lines(path)
            with locks.locked(self.file):
                self._recover(self.file, path)
        except OSError as error:
            LOG.info("no journal at %s: %s", path, error)

    def _recover(self, file: BinaryIO, path: Path) -> None:
        file.seek(0)
        *lines, half = file.read().split(b"\n")
        sound = []
        for line in lines:
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                entry = msgspec.json.decode(line, type=Line)
                self.known[entry.key] = entry.logprobs
                sound.append(line + b"\n")
        if damaged := len(lines) - len(sound):
            LOG.warning("%s: damaged lines taken out: %d; their questions are asked again", path, damaged)
        if damaged or half:
            file.truncate(0)
            file.write(b"".join(sound))
            file.flush()

    def add(self, key: str, logprobs: tuple[float, ...]) -> None:
        """Keep a verdict, and write it at once."""
        self.known[key] = logprobs
        if self.file:
            locks.append(self.file, msgspec.json.encode(Line(key=key, logprobs=logprobs)) + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self.file:
            self.file.close()
