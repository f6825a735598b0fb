"""Seals: the one form in which a record is written, the hash of itself in it, and the hashes of files."""

from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core.records import BadInput


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file must be."""

    bytes: int
    sha256: str


def canonical(record: msgspec.Struct) -> bytes:
    """The one form in which a record with a `seal` is written: sorted, indented, sealed.

    Any other bytes, however alike, are no such file.
    """
    return _canonical(msgspec.to_builtins(record))


def sealed(path: Path) -> dict[str, Any]:
    """Read what `canonical` wrote. Raises BadInput where any byte of it is another."""
    code = path.read_bytes()
    try:
        record = msgspec.json.decode(code, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name}: is not JSON: {error}") from None
    if code != _canonical(record):
        raise BadInput(f"{path.name}: its bytes are not those that its seal was made of")
    return record


def _canonical(record: dict[str, Any]) -> bytes:
    bare = msgspec.json.encode(record | {"seal": ""}, order="sorted")
    full = msgspec.json.encode(record | {"seal": sha256(bare).hexdigest()}, order="sorted")
    return msgspec.json.format(full, indent=2) + b"\n"


def hashed(path: Path) -> File:
    """Size and sha256 of a file."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        return File(bytes=file.tell(), sha256=digest)
