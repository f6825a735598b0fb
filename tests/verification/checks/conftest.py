"""A small sound set, and forgers who seal what they change."""

import shutil

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pstgen.dataset import schema, store


@pytest.fixture(scope="session")
def built(sound_set):
    """A small sound set of the world, its certificate beside it."""
    return sound_set


@pytest.fixture
def folder(built, tmp_path):
    """A copy to spoil."""
    shutil.copytree(built, tmp_path / "pst")
    return tmp_path / "pst"


@pytest.fixture
def forge(folder):
    """Rewrites the items of the copy by `change(rows)` and seals the forgery as a clever forger would."""

    def forged(change):
        shard = next((folder / "data").glob("*.parquet"))
        rows = pq.read_table(shard).to_pylist()
        change(rows)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema.schema(schema.targets())), shard)
        for name in ("certificate.json", "certificate.html"):
            (folder / name).unlink()
        manifest = store.open(folder).manifest
        (folder / "manifest.json").unlink()
        store.seal(folder, msgspec.structs.replace(manifest, items=len(rows)))
        return folder

    return forged
