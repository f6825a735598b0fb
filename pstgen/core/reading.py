"""What strangers hand in: regular files alone, text that is UTF-8, JSON and YAML that are not nested too deeply."""

import errno
import os
import stat
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
import yaml

T = TypeVar("T")
DEEPEST = 100  # levels of YAML, whose reader knows no limit: it crashes
TOO_DEEP = "nested too deeply"


def opened(path: Path) -> BinaryIO:
    """The file, for reading. Raises OSError as `open` does, and for a folder, pipe, socket or device: reading one may never end."""
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(kind):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return path.open("rb")


def content(path: Path) -> bytes:
    """All of a file, without the mark that some programs put before UTF-8. Raises OSError as `opened` does."""
    with opened(path) as file:
        return file.read().removeprefix(BOM_UTF8)


def text(path: Path) -> str:
    """All of a file of text. Raises OSError as `opened` does, UnicodeDecodeError where it is not UTF-8."""
    return content(path).decode()


def json(code: Any, as_: type[T], **options: Any) -> T:
    """Decode JSON: bytes, or a file that is mapped. options: msgspec's.

    Raises msgspec.DecodeError where it is none, not UTF-8 or nested too deeply; its ValidationError where of another type.

    >>> json(b"[1, 2]", list[int])
    [1, 2]
    """
    with _decoding():
        decoded: T = msgspec.json.Decoder(as_, **options).decode(code)
        return decoded


def json_lines(code: bytes) -> list[Any]:
    """Decode JSON values that stand one after the other. Raises msgspec.DecodeError as `json` does."""
    with _decoding():
        return msgspec.json.Decoder().decode_lines(code)


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise msgspec.DecodeError(TOO_DEEP) from None
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"not UTF-8: {error}") from None


def yaml_of(code: bytes, as_: type[T]) -> T:
    """Decode YAML. Raises msgspec.DecodeError as `json` does.

    >>> yaml_of(b"cup: mug", dict[str, str])
    {'cup': 'mug'}
    """
    try:
        _refuse_deep(code)
        return msgspec.yaml.decode(code, type=as_)
    except msgspec.ValidationError:
        raise
    except (yaml.YAMLError, msgspec.DecodeError) as error:
        raise msgspec.DecodeError(" ".join(str(error).split())) from None


def _refuse_deep(code: bytes) -> None:
    level = 0
    for event in yaml.parse(code, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if level > DEEPEST:
            raise msgspec.DecodeError(TOO_DEEP)
