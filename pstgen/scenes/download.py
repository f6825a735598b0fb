"""Downloads photographs into the cache: a download resumes where it stopped, and is checked before it is unpacked."""

import asyncio
import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import file_digest
from pathlib import Path, PurePosixPath

import httpx
import msgspec
import platformdirs

from pstgen.core import locks, resources, scratch
from pstgen.core.config import FetchConfig
from pstgen.core.records import BadInput, Unavailable

TRIES = 5  # to download one archive; each resumes where the last one stopped
PAUSE = 0.5  # seconds before the second try, doubled before every further one
PATIENCE = 50.0  # seconds in which at least PROGRESS bytes must come, tries and pauses included
PROGRESS = 2**14  # bytes
MAX_EXPANSION = 20  # an archive that unpacks to more than this many times its size is refused
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError)
CLOSED = (RuntimeError, NotImplementedError)  # encrypted, packed in an unknown way

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

    Raises BadInput for an unknown source or split, Unavailable where network, disk or checksum fail, or another process
    fetches into the same folder; the part that was downloaded stays, and the next call resumes from there.
    """
    catalogue = _catalogue(config.what)
    folder = config.cache or Path(platformdirs.user_cache_dir("pstgen")) / config.what
    names = _archives(catalogue, config)
    try:
        fetched = folder / ".fetched"
        fetched.mkdir(parents=True, exist_ok=True)
        with _alone(fetched):
            for name in names:
                _get(catalogue.archives[name], name, folder, config.mirror or catalogue.address, progress)
    except OSError as error:
        raise Unavailable(f"{folder}: cannot be written: {error.strerror or error}") from error
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder. Raises Unavailable where another process has it."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.held(folder))
        except BlockingIOError:
            raise Unavailable(f"{folder.parent}: another process is fetching into it; wait for it") from None
        except OSError:  # a file system without locks
            pass
        yield


def _get(archive: Archive, name: str, folder: Path, server: str, progress: Progress) -> None:
    """Download, check and unpack an archive, unless that was done."""
    marker, part = (folder / ".fetched" / file for file in (f"{name}-{archive.sha256[:16]}", f"{name}.zip.part"))
    if marker.exists():
        part.unlink(missing_ok=True)
        return
    moving, address = marker.with_name(f"{marker.name}.moving"), f"{server.rstrip('/')}/{archive.path}"
    if part.is_symlink() or _size(part) > archive.bytes:
        part.unlink()
    _require_space(folder, archive, part)
    asyncio.run(_download(address, archive, part, progress))
    _verify(part, archive)
    _unpack(part, folder, moving)
    moving.rename(marker)
    part.unlink()


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


async def _download(address: str, archive: Archive, part: Path, progress: Progress) -> None:
    """Download the archive into `part`, from where it stopped; where the connection is cut, try again."""
    reason = ""
    try:
        async with asyncio.timeout(PATIENCE) as limit:
            for attempt in range(TRIES):
                if _size(part) == archive.bytes:
                    return
                await asyncio.sleep(PAUSE * 2 ** (attempt - 1) if attempt else 0)
                try:
                    await _resume(address, archive, part, progress, limit)
                except httpx.HTTPStatusError as error:
                    raise Unavailable(
                        f"{address}: the server says {error.response.status_code}; try --mirror URL"
                    ) from None
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    reason = str(error) or type(error).__name__
    except TimeoutError:
        reason = f"as good as nothing came for {PATIENCE:g} seconds"
    if _size(part) != archive.bytes:
        raise Unavailable(
            f"{address}: {reason}; {_size(part):,} of {archive.bytes:,} bytes are here: "
            "run the same command again to resume, or name a --mirror"
        )


async def _resume(address: str, archive: Archive, part: Path, progress: Progress, limit: asyncio.Timeout) -> None:
    """Ask once for what `part` lacks. Raises Unavailable where the server gives another file; `part` is then as it was."""
    start, now = _size(part), asyncio.get_running_loop().time
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    async with (
        httpx.AsyncClient(follow_redirects=True, timeout=30) as client,
        client.stream("GET", address, headers=headers) as response,
    ):
        response.raise_for_status()
        done = start if response.status_code == httpx.codes.PARTIAL_CONTENT else 0
        begun = reached = done
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and begun + int(length) != archive.bytes:
            raise _other_file(address, begun + int(length), archive)
        with part.open("ab" if begun else "wb") as out:
            async for block in response.aiter_raw():
                done += len(block)
                if done > archive.bytes:
                    break
                out.write(block)
                if done - reached >= PROGRESS:
                    reached = done
                    limit.reschedule(now() + PATIENCE)
                progress(done, archive.bytes, part.name.removesuffix(".part"))
            if done != archive.bytes:  # the answer ended in good order: it was about something else
                out.truncate(begun)
                raise _other_file(address, done, archive)


def _other_file(address: str, found: int, archive: Archive) -> Unavailable:
    size = f"more than {archive.bytes:,}" if found > archive.bytes else f"{found:,} of {archive.bytes:,}"
    return Unavailable(f"{address}: gives {size} bytes: it is not the archive; name another --mirror")


def _verify(part: Path, archive: Archive) -> None:
    with part.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    if digest != archive.sha256:
        part.unlink()
        raise Unavailable(
            f"{archive.path}: sha256 is {digest}, should be {archive.sha256}; "
            "it was removed: run the command again, or name another --mirror"
        )


def _unpack(file: Path, folder: Path, moving: Path) -> None:
    """Unpack beside the cache, then move each folder into place; nothing leaves `folder`, whatever the names say.

    moving: a file that is there as soon as folders are moved; what a killed call moved is replaced. Raises BadInput where a
    folder is there that was not fetched, Unavailable where the archive cannot be unpacked; one that is damaged is removed.
    """
    with scratch.folder(".unpacked-", folder) as place:
        try:
            _extract(file, place)
        except (*DAMAGED, *CLOSED) as error:
            file.unlink()
            raise Unavailable(
                f"{file.name}: is no zip file that can be unpacked: {error}; it was removed: run the command again, "
                "or name another --mirror"
            ) from None
        targets = [folder / path.name for path in place.iterdir()]
        for target in targets if not moving.exists() else ():
            if target.exists():
                raise BadInput(f"{target}: exists already and was not fetched; move it or name another --cache")
        moving.touch()
        for target in targets:
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            (place / target.name).replace(target)


def _extract(file: Path, place: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        for member in members:
            if _leads_out(member):
                raise Unavailable(f"{file.name}: holds {member.filename!r}, which leads out of the folder; refused")
        if sum(member.file_size for member in members) > MAX_EXPANSION * file.stat().st_size:
            raise Unavailable(f"{file.name}: unpacks to more than {MAX_EXPANSION} times its size; refused")
        archive.extractall(place)


def _leads_out(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    return path.is_absolute() or ".." in path.parts or "\\" in member.filename or is_link
