"""Downloads photographs into the cache: a download resumes where it stopped, and is checked before it is unpacked."""

import shutil
import stat
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from hashlib import file_digest
from pathlib import Path, PurePosixPath

import httpx
import msgspec
import platformdirs

from pstgen.core import resources
from pstgen.core.config import FetchConfig
from pstgen.core.records import BadInput, Unavailable

TRIES = 5  # to download one archive; each resumes where the last one stopped
PAUSE = 0.5  # seconds before the second try, doubled before every further one
MAX_EXPANSION = 20  # an archive that unpacks to more than this many times its size is refused

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
    """Download a split into the cache and return its folder; what is there already is not downloaded again.

    Raises BadInput for an unknown source or split, Unavailable where network, disk or checksum fail; the part that was
    downloaded stays, and the next call resumes from there.
    """
    catalogue = _catalogue(config.what)
    folder = config.cache or Path(platformdirs.user_cache_dir("pstgen")) / config.what
    for name in _archives(catalogue, config):
        archive = catalogue.archives[name]
        marker = folder / ".fetched" / f"{name}-{archive.sha256[:16]}"
        if not marker.exists():
            part = folder / ".fetched" / f"{name}.zip.part"
            address = f"{(config.mirror or catalogue.address).rstrip('/')}/{archive.path}"
            try:
                part.parent.mkdir(parents=True, exist_ok=True)
                _require_space(folder, archive, part)
                _download(address, archive, part, progress)
                _verify(part, archive)
                _unpack(part, folder)
                marker.touch()
                part.unlink()
            except OSError as error:
                raise Unavailable(f"{folder}: cannot be written: {error.strerror or error}") from error
    return folder


def available() -> tuple[str, ...]:
    """What can be downloaded: the files of data_sources/ that are catalogues."""
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
        raise BadInput(f"no address is known for {what!r}; there are: {', '.join(available())}") from None


def _require_space(folder: Path, archive: Archive, part: Path) -> None:
    """There must be room for an archive and its unpacked content side by side."""
    needed = 2.2 * archive.bytes - _size(part)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Unavailable(f"{folder}: {needed / 2**30:,.1f} GiB are needed, {free / 2**30:,.1f} are free")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _download(address: str, archive: Archive, part: Path, progress: Progress) -> None:
    """Download the archive into `part`, from where it stopped; where the connection is cut, try again."""
    for attempt in range(TRIES):
        if _size(part) == archive.bytes:
            return
        time.sleep(PAUSE * 2 ** (attempt - 1) if attempt else 0)
        try:
            _resume(address, archive, part, progress)
        except httpx.HTTPStatusError as error:
            raise Unavailable(f"{address}: the server says {error.response.status_code}; try --mirror URL") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
    if _size(part) != archive.bytes:
        raise Unavailable(
            f"{address}: {reason}; {_size(part):,} of {archive.bytes:,} bytes are here: "
            "run the same command again to resume, or name a --mirror"
        )


def _resume(address: str, archive: Archive, part: Path, progress: Progress) -> None:
    start = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with httpx.stream("GET", address, headers=headers, follow_redirects=True, timeout=30) as response:
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = start if resumed else 0
        with part.open("ab" if resumed else "wb") as out:
            for block in response.iter_raw():
                done += len(block)
                if done > archive.bytes:
                    raise Unavailable(f"{address}: sends more than the {archive.bytes:,} bytes that it should have")
                out.write(block)
                progress(done, archive.bytes, part.name.removesuffix(".part"))


def _verify(part: Path, archive: Archive) -> None:
    with part.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    if digest != archive.sha256:
        part.unlink()
        raise Unavailable(
            f"{archive.path}: sha256 is {digest}, should be {archive.sha256}; "
            "it was removed: run the command again, or name another --mirror"
        )


def _unpack(file: Path, folder: Path) -> None:
    """Unpack beside the cache, then move each folder into place; nothing leaves `folder`, whatever the names say."""
    with tempfile.TemporaryDirectory(dir=folder) as place, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        for member in members:
            if _leads_out(member):
                raise Unavailable(f"{file.name}: holds {member.filename!r}, which leads out of the folder; refused")
        if sum(member.file_size for member in members) > MAX_EXPANSION * file.stat().st_size:
            raise Unavailable(f"{file.name}: unpacks to more than {MAX_EXPANSION} times its size; refused")
        archive.extractall(place)
        unpacked = list(Path(place).iterdir())
        for path in unpacked:
            if (target := folder / path.name).exists():
                raise BadInput(f"{target}: exists already and was not fetched; move it or name another --cache")
        for path in unpacked:
            path.rename(folder / path.name)


def _leads_out(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    return path.is_absolute() or ".." in path.parts or "\\" in member.filename or is_link
