"""What annotations alone teach, kept in the user's cache: counting 118,287 scenes takes a minute, and every build of the same files counts the same."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec
import platformdirs

from pstgen.core import plugins, resources, scratch
from pstgen.core.config import BuildConfig
from pstgen.core.records import Unavailable
from pstgen.core.report import Refusal
from pstgen.questions import facts
from pstgen.questions.facts import Observed, Through
from pstgen.questions.families import Question
from pstgen.scenes import sources
from pstgen.scenes.sources import Entry

LOG = logging.getLogger("pstgen")
LEAST = 5000  # scenes, for which it pays
MOST = 16  # files that stay, the latest
CODE = ("core", "questions", "scenes")  # of pstgen, that counts depend on


class _Counts(msgspec.Struct):
    """A file."""

    rows: list[tuple[Question, str, int]]
    scenes: int
    refused: list[Refusal]


def observe(
    config: BuildConfig, entries: Sequence[Entry], pictured: frozenset[str], processes: int, via: Through | None = None
) -> Iterator[Observed]:
    """What `facts.observe` gives, scenes whose image is looked at last; of the others what is kept, if it is.

    It is kept by what was read, of which scenes and families, and by the code and the words that read it; of families and
    sources of others, whose code is not known, nothing is.
    """
    plain = [entry for entry in entries if entry.id not in pictured]
    if via or len(plain) < LEAST or not _ours(config):
        yield from facts.observe(config, entries, pictured, processes, via)
        return
    file = Path(platformdirs.user_cache_dir("pstgen")) / "counts" / f"{_key(config, plain)}.msgpack"
    if kept := _read(file, len(plain)):
        yield kept
    else:
        whole = Observed()
        for shard in facts.observe(config, plain, frozenset(), processes):
            whole.add(shard)
            yield shard
        if not whole.pictured:  # a source may give its images unasked, and what is kept has none
            _write(file, whole)
    yield from facts.observe(config, [entry for entry in entries if entry.id in pictured], pictured, processes)


def _ours(config: BuildConfig) -> bool:
    used = [("sources", config.source.name), *(("families", name) for name in facts.family_names(config))]
    return all(getattr(plugins.load(*each), "__name__", "").startswith("pstgen.") for each in used)


def _key(config: BuildConfig, entries: Sequence[Entry]) -> str:
    names = config.source.names
    read = [
        sources.load(config.source.name).origin(config),
        names.read_text(encoding="utf-8") if names else "",
        facts.family_names(config),
        [entry.id for entry in entries],
        _code(),
    ]
    return sha256(json.dumps(read).encode()).hexdigest()


@cache
def _code() -> str:
    """Hash of all files that counts depend on."""
    digest = sha256()
    for folder in (*(files("pstgen") / name for name in CODE), *map(resources.folder, resources.FOLDERS)):
        for file in _files(folder):
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _files(folder: Traversable) -> Iterator[Traversable]:
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        if each.is_dir():
            yield from _files(each)
        elif each.name.endswith((".py", ".yaml")):
            yield each


def _read(file: Path, wanted: int) -> Observed | None:
    try:
        counts = msgspec.msgpack.decode(file.read_bytes(), type=_Counts)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    with suppress(OSError):
        file.touch()
    observed = Observed(
        Counter({(question, answer): n for question, answer, n in counts.rows}), counts.scenes, wanted=wanted
    )
    observed.refused.records = dict.fromkeys(counts.refused)
    return observed


def _write(file: Path, counted: Observed) -> None:
    rows = [(question, answer, n) for (question, answer), n in counted.tally.items()]
    counts = _Counts(rows, counted.scenes, list(counted.refused.records))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch.put(file, msgspec.msgpack.encode(counts))
        latest = sorted(file.parent.glob("*.msgpack"), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in latest[MOST:]:
            old.unlink(missing_ok=True)
    except (OSError, Unavailable) as error:
        LOG.info("counts are not kept: %s", error)
