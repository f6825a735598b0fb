"""Brings photographs into the cache: resumed where it stopped, checked before it is unpacked."""

import shutil
import stat
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path, PurePosixPath

import httpx
import msgspec
import platformdirs

from pstgen.core import resources
from pstgen.core.config import FetchConfig
from pstgen.core.records import BadInput, Unavailable

TRIES = 5  # of one archive, each going on where the last one stopped
PAUSE = 0.5  # seconds before the second try, doubled before every further one
BLOCK = 2**20
SWELLS = 20  # an archive that unpacks to more than this many times its size is refused

Progress = Callable[[int, int, str], None]


class Archive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A zip file: its path on the server, its size and its sha256."""

    path: str
    bytes: int
    sha256: str


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """data_sources/<what>.yaml: which archives make a split."""

    licence: str
    address: str
    splits: Mapping[str, tuple[str, ...]]
    archives: Mapping[str, Archive]


def fetch(config: FetchConfig, progress: Progress = lambda _done, _total, _name: None) -> Path:
    """Bring a split into the cache and return its folder; what is there already is not fetched again.

    Raises BadInput for an unknown source or split, Unavailable where network, disk or checksum fail; what was loaded
    so far stays, and the next call goes on from there.
    """
    catalogue = _catalogue(config.what)
    folder = config.cache or Path(platformdirs.user_cache_dir("pstgen")) / config.what
    for name in _archives(catalogue, config):
        archive = catalogue.archives[name]
        done = folder / ".fetched" / f"{name}-{archive.sha256[:16]}"
        if not done.exists():
            file = folder / ".fetched" / f"{name}.zip.part"
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                _room(folder, archive, file)
                _load(f"{(config.mirror or catalogue.address).rstrip('/')}/{archive.path}", archive, file, progress)
                _check(file, archive)
                _unpack(file, folder)
                done.touch()
                file.unlink()
            except OSError as error:
                raise Unavailable(f"{folder}: cannot be written: {error.strerror or error}") from error
    return folder


def known() -> tuple[str, ...]:
    """What can be fetched: the files of data_sources/ that are catalogues."""
    return tuple(
        sorted(file.name[:-5] for file in resources.folder("data_sources").iterdir() if _is_catalogue(file.name))
    )


def _is_catalogue(name: str) -> bool:
    if not name.endswith(".yaml"):
        return False
    try:
        _catalogue_of(name.removesuffix(".yaml"))
    except BadInput:
        return False
    return True


def _catalogue_of(stem: str) -> Catalogue:
    return resources.read("data_sources", stem, Catalogue)


def size(config: FetchConfig) -> int:
    """Bytes of the archives that make a split. Raises BadInput like `fetch`."""
    catalogue = _catalogue(config.what)
    return sum(catalogue.archives[name].bytes for name in _archives(catalogue, config))


def _archives(catalogue: Catalogue, config: FetchConfig) -> tuple[str, ...]:
    if config.split not in catalogue.splits:
        raise BadInput(f"{config.what} has no split {config.split!r}; there are: {', '.join(catalogue.splits)}")
    return catalogue.splits[config.split]


def _catalogue(what: str) -> Catalogue:
    try:
        return _catalogue_of(what)
    except OSError:
        raise BadInput(f"nothing is known of where to fetch {what!r}; there are: {', '.join(known())}") from None


def _room(folder: Path, archive: Archive, file: Path) -> None:
    """An archive and what is in it need room side by side."""
    needed = 2.2 * archive.bytes - (file.stat().st_size if file.exists() else 0)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Unavailable(f"{folder}: {needed / 2**30:,.1f} GiB are needed, {free / 2**30:,.1f} are free")


def _load(address: str, archive: Archive, file: Path, progress: Progress) -> None:
    """Load the archive into `file`, from where it stopped; a connection that is cut is tried again."""
    for attempt in range(TRIES):
        if file.exists() and file.stat().st_size == archive.bytes:
            return
        time.sleep(PAUSE * 2 ** (attempt - 1) if attempt else 0)
        try:
            _go_on(address, archive, file, progress)
        except httpx.HTTPStatusError as error:
            raise Unavailable(f"{address}: the server says {error.response.status_code}; try --mirror URL") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
    if not file.exists() or file.stat().st_size != archive.bytes:
        got = file.stat().st_size if file.exists() else 0
        told = f"{address}: {reason}; {got:,} of {archive.bytes:,} bytes are here"
        raise Unavailable(f"{told}: run the same command again to go on, or name a --mirror")


def _go_on(address: str, archive: Archive, file: Path, progress: Progress) -> None:
    start = file.stat().st_size if file.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with httpx.stream("GET", address, headers=headers, follow_redirects=True, timeout=30) as answer:
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        done = start if resumed else 0
        with file.open("ab" if resumed else "wb") as out:
            for block in answer.iter_raw():
                done += len(block)
                if done > archive.bytes:
                    raise Unavailable(f"{address}: gives more than the {archive.bytes:,} bytes it should have")
                out.write(block)
                progress(done, archive.bytes, file.name.removesuffix(".part"))


def _check(file: Path, archive: Archive) -> None:
    digest = sha256()
    with file.open("rb") as read:
        while block := read.read(BLOCK):
            digest.update(block)
    if digest.hexdigest() != archive.sha256:
        file.unlink()
        raise Unavailable(
            f"{archive.path}: sha256 is {digest.hexdigest()}, should be {archive.sha256}; "
            "it was removed: run the command again, or name another --mirror"
        )


def _unpack(file: Path, folder: Path) -> None:
    """Unpack beside the cache, then move each folder into place; nothing leaves `folder`, whatever the names say."""
    with tempfile.TemporaryDirectory(dir=folder) as place, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        for member in members:
            path = PurePosixPath(member.filename)
            if (
                path.is_absolute()
                or ".." in path.parts
                or "\\" in member.filename
                or stat.S_ISLNK(member.external_attr >> 16)
            ):
                raise Unavailable(f"{file.name}: holds {member.filename!r}, which leads out of the folder; refused")
        if sum(member.file_size for member in members) > SWELLS * file.stat().st_size:
            raise Unavailable(f"{file.name}: unpacks to more than {SWELLS} times its size; refused")
        archive.extractall(place)
        made = list(Path(place).iterdir())
        for new in made:
            if (there := folder / new.name).exists():
                raise BadInput(f"{there}: stands there already and was not fetched; move it or name another --cache")
        for new in made:
            new.rename(folder / new.name)
