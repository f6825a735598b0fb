"""What is written into a set when it is published: versions, known errors, and metadata that knows an address and a date.

CHANGELOG.md              a section a version, the newest first; each names the seal of the manifest that it is about
ERRATA.md                 items that are known to be wrong
croissant-published.json  croissant.json with `version`, `datePublished` and `url`

None of them is in the manifest: a build knows no date, and errors are found later. Versions are semantic, as Croissant 1.1 reads
them: MAJOR where pairs changed or went, MINOR where pairs came, PATCH where all pairs are the same.
"""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec

from pstgen.core import reading
from pstgen.core.records import BadInput, Unavailable
from pstgen.dataset import difference
from pstgen.dataset.store import Dataset

CHANGELOG, ERRATA, CROISSANT = "CHANGELOG.md", "ERRATA.md", "croissant-published.json"
WRITTEN = (CHANGELOG, ERRATA, CROISSANT)
SEALED = "croissant.json"
FIRST = "1.0.0"
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
HEADING = re.compile(rf"^## ({VERSION.pattern}) - (\d{{4}}-\d\d-\d\d)$", re.MULTILINE)
SEAL = re.compile(r"^Manifest: `([0-9a-f]{64})`$", re.MULTILINE)
ITEM = re.compile(r"^- `([^`]+)`", re.MULTILINE)
HEAD = "# Versions of this set\n\nMAJOR: pairs changed or went. MINOR: pairs came. PATCH: the same pairs.\n"
NONE_KNOWN = "No error is known.\n"
ERRATA_HEAD = "# Errors that are known\n\nThe files of the set stay as they are; a corrected set is a new version.\n\n"


class Version(NamedTuple):
    """A section of CHANGELOG.md. seal: of the manifest that it is about, or "" where none is named. day: ISO 8601."""

    number: str
    day: str
    seal: str

    @property
    def order(self) -> tuple[int, ...]:
        """Its parts as numbers."""
        return tuple(map(int, self.number.split(".")))


def versions(folder: Path) -> list[Version]:
    """The versions of a set in the order of its CHANGELOG.md; none where it has no such file."""
    text = _text(folder / CHANGELOG)
    found = list(HEADING.finditer(text))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    seals = [SEAL.search(text, heading.end(), end) for heading, end in zip(found, ends, strict=False)]
    return [
        Version(heading[1], heading[5], seal[1] if seal else "") for heading, seal in zip(found, seals, strict=True)
    ]


def number(text: str) -> str:
    """A version as it is typed. Raises BadInput.

    >>> number("1.0.0")
    '1.0.0'
    """
    if not VERSION.fullmatch(text):
        raise BadInput(f"--release {text!r}: type MAJOR.MINOR.PATCH, such as {FIRST}")
    return text


def current(dataset: Dataset) -> Version | None:
    """The newest version, if it is of this very set."""
    newest = next(iter(versions(dataset.folder)), None)
    return newest if newest and newest.seal == dataset.manifest.seal else None


def add_version(dataset: Dataset, release: str | None, since: Dataset | None, note: str, today: date) -> Version:
    """Write a section about this set, above those of the set that it follows; returns it.

    release: the version; where it is None, that which follows from what changed since the older set, or 1.0.0.
    Raises BadInput where the version is not above the newest one, Unavailable where nothing can be written.
    """
    folder = dataset.folder
    before = since.folder if since else folder
    earlier = versions(before)
    if release is None and earlier and since is None:
        about = "is of this set already" if earlier[0].seal == dataset.manifest.seal else "is not of this set"
        raise BadInput(f"{folder / CHANGELOG}: its newest version, {earlier[0].number}, {about}; name a higher one by --release, or the older set by --since")  # fmt: skip
    changed = difference.between(since, dataset) if since else None
    version = Version(number(release or _next(earlier, changed)), today.isoformat(), dataset.manifest.seal)
    if earlier and version.order <= earlier[0].order:
        raise BadInput(f"--release {version.number}: {before / CHANGELOG} has {earlier[0].number}; name a higher one")
    said = [note, _summary(changed)] if changed else [note]
    body = "\n".join(line for line in said if line) or f"{dataset.manifest.items:,} items."
    section = f"\n## {version.number} - {version.day}\n\nManifest: `{version.seal}`\n\n{body}\n"
    _write(folder / CHANGELOG, HEAD + section + _text(before / CHANGELOG).removeprefix(HEAD))
    return version


def _next(earlier: list[Version], changed: difference.Difference | None) -> str:
    if not earlier or changed is None:
        return FIRST
    major, minor, patch = earlier[0].order
    if changed.removed or changed.changed:
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if changed.added else f"{major}.{minor}.{patch + 1}"


def _summary(changed: difference.Difference) -> str:
    return (
        f"Pairs: {changed.same:,} are the same, {len(changed.added):,} came, {len(changed.removed):,} went, "
        f"{len(changed.changed):,} changed. `pstgen diff` names them."
    )


def errata(folder: Path) -> frozenset[str]:
    """The items that ERRATA.md names."""
    return frozenset(ITEM.findall(_text(folder / ERRATA)))


def add_errata(folder: Path, items: Iterable[str]) -> None:
    """Write ERRATA.md where there is none, and add the items that it does not name. Raises Unavailable."""
    text = _text(folder / ERRATA) or ERRATA_HEAD + NONE_KNOWN
    if new := sorted(set(items) - errata(folder)):
        lines = "".join(f"- `{item}`: its label is wrong, as an audit found\n" for item in new)
        text = text.replace(NONE_KNOWN, "").rstrip("\n") + ("\n" if ITEM.search(text) else "\n\n") + lines
    _write(folder / ERRATA, text)


def write_croissant(folder: Path, version: Version, url: str = "") -> None:
    """Write croissant-published.json. url: where the set can be found; "" where that is not known.

    Raises BadInput where croissant.json cannot be read, Unavailable where nothing can be written.
    """
    sealed = msgspec.json.encode(published(folder, version, url), order="sorted")
    _write(folder / CROISSANT, msgspec.json.format(sealed, indent=2).decode() + "\n")


def published(folder: Path, version: Version, url: str = "") -> dict[str, object]:
    """What croissant-published.json holds. Raises BadInput where croissant.json cannot be read."""
    try:
        record = reading.json(reading.content(folder / SEALED), dict[str, object])
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{folder / SEALED}: cannot be read: {error}; pstgen build writes it") from None
    added = {"version": version.number, "datePublished": version.day}
    return record | added | ({"url": url} if url else {})


def _text(path: Path) -> str:
    """What a file holds; "" where there is none. Raises BadInput where it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise BadInput(f"{path}: is no text in UTF-8; mend it, or take it away") from None
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    if path.is_symlink():
        raise Unavailable(f"{path}: is a link, and is not written through; take it away")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{path}: cannot be written: {error.strerror}") from None
