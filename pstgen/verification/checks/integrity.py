"""Are the bytes those that were built: every file, the manifest, an older certificate, the columns?"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput
from pstgen.dataset import schema, sealing
from pstgen.dataset.sealing import File
from pstgen.dataset.store import Dataset
from pstgen.verification import certificate
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

UNLISTED = {"manifest.json", certificate.NAME, "audit.jsonl", *certificate.WRITTEN}


PROVES = "Every file is, byte by byte, the one that was built and that the manifest names."


class AnyCertificate(msgspec.Struct):
    """What a certificate of any version must say."""

    manifest: str = ""
    files: dict[str, File] = {}


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Any byte that differs names its file."""
    problems = first_problems((*_manifest(dataset), *_files(dataset), *_certificate(dataset)))
    if not problems:
        problems = first_problems(_columns(dataset))
    return Finding(
        check="integrity", summary=f"{len(dataset.manifest.files)} files and the manifest", problems=problems
    )


def _manifest(dataset: Dataset) -> Iterator[str]:
    if (dataset.folder / "manifest.json").read_bytes() != sealing.canonical(dataset.manifest):
        yield "manifest.json: its bytes are not those that its seal was made of"


def _files(dataset: Dataset) -> Iterator[str]:
    for name, expected in dataset.manifest.files.items():
        path = dataset.folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield f"manifest.json: {name!r} is outside the folder"
        elif path.is_symlink() or not path.is_file():
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


def _columns(dataset: Dataset) -> Iterator[str]:
    if not dataset.shards:
        yield "data/: holds no test-*.parquet"
    for shard in dataset.shards:
        columns = pq.read_schema(shard)
        if not columns.equals(schema.schema(schema.targets_of(columns.names))):
            yield f"data/{shard.name}: has other columns than this format's"
    rows = sum(pq.read_metadata(shard).num_rows for shard in dataset.shards)
    if rows != dataset.manifest.items:
        yield f"data/: holds {rows} items; the manifest says {dataset.manifest.items}"
