"""Are the bytes those that the manifest names: every file, the manifest, an older certificate; and can every row be read?"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput
from pstgen.dataset import release, sealing
from pstgen.dataset.sealing import File
from pstgen.dataset.store import Dataset
from pstgen.verification import certificate, wellformed
from pstgen.verification.checks import first_problems, processes
from pstgen.verification.findings import Finding

LONGEST = 255  # letters of a file's name
UNLISTED = {"manifest.json", certificate.NAME, "audit.jsonl", *certificate.WRITTEN, *release.WRITTEN}


PROVES = "Every file is, byte by byte, the one that the manifest names."
ANEW = True
REQUIRED = ("scores.parquet", "README.md", "croissant.json")


class AnyCertificate(msgspec.Struct):
    """What a certificate of any version must say."""

    manifest: str = ""
    files: dict[str, File] = {}


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Any byte that differs names its file; then tables, then rows, each only where what they stand on is sound."""
    problems = first_problems(
        (*_expected(dataset, config), *_manifest(dataset), *_files(dataset), *_certificate(dataset))
    )
    problems = problems or first_problems(wellformed.columns(dataset))
    problems = problems or first_problems(wellformed.problems(dataset, processes(dataset, config)))
    named = "; the manifest's hash is the one that was given" if config.expect else ""
    return Finding(
        check="integrity", summary=f"{len(dataset.manifest.files)} files and the manifest{named}", problems=problems
    )


def _expected(dataset: Dataset, config: VerifyConfig) -> Iterator[str]:
    """The set's hash, where the user has it from elsewhere."""
    if config.expect and not dataset.manifest.seal.startswith(config.expect.lower()):
        yield f"manifest.json: its hash is {dataset.manifest.seal}; --expect {config.expect}"


def _manifest(dataset: Dataset) -> Iterator[str]:
    if (dataset.folder / "manifest.json").read_bytes() != sealing.canonical(dataset.manifest):
        yield "manifest.json: its bytes are not those that its seal was made of"


def _files(dataset: Dataset) -> Iterator[str]:
    yield from (f"{name}: is not in the manifest" for name in REQUIRED if name not in dataset.manifest.files)
    for name, expected in dataset.manifest.files.items():
        path = dataset.folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield f"manifest.json: {name!r} is outside the folder"
        elif len(name) > LONGEST or path.is_symlink() or not path.is_file():
            yield f"{name}: is missing"
        elif (actual := sealing.hashed(path)) != expected:
            size = "" if actual.bytes == expected.bytes else f" and {actual.bytes:,} bytes, not {expected.bytes:,}"
            yield f"{name}: has sha256 {actual.sha256[:12]}…, not {expected.sha256[:12]}…{size}"
    for path in sorted(dataset.folder.rglob("*")):
        name = path.relative_to(dataset.folder).as_posix()
        if not path.is_dir() and name not in UNLISTED | set(dataset.manifest.files):
            yield f"{name}: is not in the manifest"


def _certificate(dataset: Dataset) -> Iterator[str]:
    path = dataset.folder / certificate.NAME
    if not path.is_file():
        return
    try:
        old = msgspec.convert(sealing.sealed(path), AnyCertificate)
    except (BadInput, msgspec.ValidationError) as error:
        yield f"{error}; delete it and verify again"
        return
    if old.manifest != dataset.manifest.seal:
        yield f"{path.name}: is about another manifest; delete it and verify again"
    for name, expected in old.files.items():
        if (dataset.folder / name).is_file() and sealing.hashed(dataset.folder / name) != expected:
            yield f"{name}: is not the one that {path.name} names; delete both and verify again"
