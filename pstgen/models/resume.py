"""What a run takes of the verdicts that are kept: `--resume auto`, `always` or `never`, bound to its settings and judges."""

import json
import re
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from pstgen.core import config as configs
from pstgen.core.records import BadInput
from pstgen.models import journal_file

UNBOUND = frozenset(  # settings that change no verdict: a run with others is the same run
    {"out", "name", "workers", "resume", "engine", "ray_address", "gpus_per_worker", *configs.LIMITS}
)
KEPT = "SELECT 1 FROM verdicts WHERE judge = (SELECT id FROM judges WHERE name = ? AND revision = ?)"

Name = tuple[str, str]  # of a judge, and its revision


@dataclass
class Run:
    """What this process's run is bound to. began: Unix time, before which verdicts are not taken; settings: JSON, "" for none."""

    began: float = 0.0
    settings: str = ""


RUN = Run()


def begin(settings: msgspec.Struct, judges: Iterable[Name]) -> None:
    """Bind this process's run to its settings and its judges that keep verdicts, and do what its setting `resume` says.

    auto: what is kept is taken. never: nothing that was kept before now is taken; new verdicts take its place. always: as
    auto, but raises BadInput where no run with these settings and judges has left anything to go on from.
    """
    named = configs.flat(msgspec.to_builtins(settings, enc_hook=str))
    bound = {name: value for name, value in named.items() if name not in UNBOUND}
    text = json.dumps({"": type(settings).__name__, **bound}, sort_keys=True)
    RUN.settings = re.sub("//[^/]*@", "//", text)  # no password of a server is kept
    RUN.began = time.time() if named.get("resume") == "never" else 0.0
    if named.get("resume") == "always":
        _require(list(judges))


def _require(judges: Sequence[Name]) -> None:
    if not judges:
        raise BadInput("--resume always: no model judges in this run, so there is nothing to resume")
    file, connection = journal_file.path(), None
    try:
        connection = journal_file.open(file)
        ours = connection.execute("SELECT 1 FROM runs WHERE configuration = ?", (_digest(RUN.settings),)).fetchone()
        kept = any(connection.execute(KEPT, name).fetchone() for name in judges)
        if ours and kept:
            return
        why = "the judges are not those of that run" if ours else _difference(connection)
    except (OSError, sqlite3.Error) as error:
        why = str(error)
    finally:
        if connection:
            connection.close()
    raise BadInput(f"--resume always: no run with these settings is in {file}: {why}; --resume auto takes what fits")


def _difference(connection: sqlite3.Connection) -> str:
    """What the latest run of the same command had otherwise."""
    mine = json.loads(RUN.settings)
    for (text,) in connection.execute("SELECT settings FROM runs ORDER BY at DESC"):
        other = json.loads(text)
        if other.get("") == mine[""]:
            names = sorted(name for name in mine if mine[name] != other.get(name))
            return f"the latest one differs in {', '.join(names) or 'settings that are no more'}"
    return "there was none yet"


def note(connection: sqlite3.Connection, now: float) -> None:
    """Note that the run has kept something, at this Unix time; nothing where no run has begun."""
    if RUN.settings:
        connection.execute("REPLACE INTO runs VALUES (?, ?, ?)", (_digest(RUN.settings), RUN.settings, now))


def _digest(settings: str) -> str:
    return sha256(settings.encode()).hexdigest()
