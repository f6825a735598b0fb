"""Whether a set is ready to be published: each point fails by itself, and says what to do."""

import json
import shutil
from datetime import date

import msgspec
import pyarrow.parquet as pq
import pytest

from pstgen.core.config import VerifyConfig
from pstgen.dataset import release, sealing, store
from pstgen.verification import annotations, certificate, checks, publication
from pstgen.verification.annotations import Annotation

pytest.importorskip("mlcroissant")


@pytest.fixture(scope="module")
def whole(sound_set, tmp_path_factory):
    """A sound set, with what a release adds."""
    folder = tmp_path_factory.mktemp("whole") / "pst"
    shutil.copytree(sound_set, folder)
    dataset = store.open(folder)
    version = release.add_version(dataset, None, None, "", date(2026, 5, 4))
    release.add_errata(folder, [])
    release.write_croissant(folder, version)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "pst")
    return tmp_path / "pst"


def points(folder):
    return {point.name: point for point in publication.examine(store.open(folder))}


def test_a_verified_set_with_a_version_is_ready_and_looking_changes_nothing(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found = publication.examine(store.open(folder))
    assert [point for point in found if point.state != "in order"] == []
    assert publication.ready(found)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_a_release_adds_is_not_sealed_and_the_set_stays_sound(folder):
    for name in release.WRITTEN:
        assert name not in store.open(folder).manifest.files
    assert points(folder)["files"].state == "in order"


@pytest.mark.parametrize(
    ("gone", "point"),
    [
        (certificate.NAME, "certificate"),
        ("LICENSE.md", "licences"),
        ("eval.yaml", "eval.yaml"),
        ("DATASHEET.md", "datasheet"),
        (release.ERRATA, "errata"),
        (release.CHANGELOG, "version"),
        (release.CROISSANT, "version"),
    ],
)
def test_a_file_that_is_missing_is_named_with_what_writes_it(folder, gone, point):
    (folder / gone).unlink()
    found = points(folder)[point]
    assert found.state == "not in order"
    assert gone in found.says
    assert found.remedy


def replaced(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("license: cc0-1.0\n", "", "no `license`"),
        ("license: cc0-1.0\n", "license: mit\n", "`license`"),
        ("- name: question\n", "- name: query\n", "`dataset_info`"),
        ("- benchmark\n", "", "`tags`"),
        ("data/test-*.parquet", "data/*.parquet", "`configs`"),
        ("---\npretty", "--\npretty", "no header"),
        ("language:\n", "language: [\n", "no YAML"),
    ],
)
def test_a_card_that_does_not_say_what_the_files_say_is_not_in_order(folder, old, new, said):
    replaced(folder / "README.md", old, new)
    found = points(folder)
    assert found["card"].state == "not in order"
    assert said in found["card"].says
    assert "README.md" in found["files"].says


def test_a_certificate_of_another_manifest_does_not_count(folder):
    record = json.loads((folder / certificate.NAME).read_bytes())
    (folder / certificate.NAME).write_bytes(sealing._canonical(record | {"manifest": "0" * 64}))
    assert "another manifest" in points(folder)["certificate"].says


def test_a_set_that_is_not_sound_is_not_ready(folder):
    record = json.loads((folder / certificate.NAME).read_bytes())
    (folder / certificate.NAME).write_bytes(sealing._canonical(record | {"sound": False}))
    assert "not sound" in points(folder)["certificate"].says


def test_an_item_that_an_audit_found_wrong_belongs_into_the_errata(folder):
    dataset = store.open(folder)
    item = next(dataset.items())
    of = {"item": item.item_id, "pair": item.pair_id, "family": item.family, "who": "anna", "seed": 0}
    annotations.append(folder / annotations.FILE, Annotation(verdict="wrong", manifest=dataset.manifest.seal, **of))
    assert item.item_id in points(folder)["errata"].says
    release.add_errata(folder, publication.wrong_items(dataset))
    found = points(folder)["errata"]
    assert found.state == "in order"
    assert "anna" in found.says
    annotations.append(folder / annotations.FILE, Annotation(verdict="undo", manifest=dataset.manifest.seal, **of))
    assert publication.wrong_items(dataset) == []


def test_the_newest_version_must_be_of_this_set(folder):
    replaced(folder / release.CHANGELOG, store.open(folder).manifest.seal, "0" * 64)
    found = points(folder)["version"]
    assert "not of this set" in found.says
    assert "--release" in found.remedy


def test_published_metadata_that_differs_from_the_sealed_one_is_not_in_order(folder):
    replaced(folder / release.CROISSANT, "Surveillance is no intended use", "Any use is intended")
    assert release.CROISSANT in points(folder)["version"].says


def test_pictures_whose_licence_is_not_named_are_counted(stress_set):
    found = points(stress_set)["licences"]
    assert (found.state, "48 items" in found.says) == ("not in order", True)


def test_a_changed_picture_under_a_licence_that_forbids_it_is_found(folder):
    (shard,) = store.open(folder).shards
    table = pq.read_table(shard)
    names = ["http://creativecommons.org/licenses/by-nd/2.0/"] * len(table)
    place = table.schema.get_field_index("licence")
    pq.write_table(table.set_column(place, table.schema.field(place), [names]), shard)
    found = points(folder)
    assert "CC-BY-ND-2.0, which forbids" in found["licences"].says
    assert "no index of its pages" in found["parquet"].says


def test_a_row_group_that_no_viewer_loads_is_found(folder, monkeypatch):
    monkeypatch.setattr(publication, "SHARED", 1000)
    assert "a row group holds" in points(folder)["parquet"].says


def test_a_damaged_data_file_is_a_line_at_each_point_that_reads_it(folder):
    (shard,) = store.open(folder).shards
    shard.write_bytes(shard.read_bytes()[:1000])
    found = points(folder)
    assert shard.name in found["files"].says
    for name in ("card", "licences", "parquet", "croissant"):
        assert found[name].state == "not in order"
        assert "\n" not in found[name].says


def test_where_the_reader_is_not_installed_it_is_not_checked_and_said(folder, monkeypatch):
    monkeypatch.setattr("pstgen.verification.croissant.installed", lambda: False)
    found = publication.examine(store.open(folder))
    point = next(point for point in found if point.name == "croissant")
    assert (point.state, point.remedy) == ("not checked", "pip install mlcroissant")
    assert publication.ready(found)


def test_a_set_of_before_these_pages_were_written_is_named_by_verify(folder):
    """Its other checks run all the same."""
    dataset = store.open(folder)
    for name in ("eval.yaml", "DATASHEET.md", "LICENSE.md", *release.WRITTEN, certificate.NAME):
        (folder / name).unlink()
    for name in certificate.WRITTEN:
        (folder / name).unlink(missing_ok=True)
    (folder / "manifest.json").unlink()
    store.seal(folder, msgspec.structs.replace(dataset.manifest, files={}, seal=""))
    found = store.open(folder)
    config = VerifyConfig(folder=folder)
    assert checks.load("integrity").examine(found, config).problems == ()
    problems = checks.load("pages").examine(found, config).problems
    assert [line.partition(":")[0] for line in problems] == ["eval.yaml", "DATASHEET.md", "LICENSE.md"]
    assert all("build the set again" in line for line in problems)
