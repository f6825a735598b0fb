"""Versions of a set, its known errors, and its metadata with an address and a date."""

import json
import shutil
from datetime import date

import pytest

from pstgen.core.records import BadInput, Unavailable
from pstgen.dataset import release, store

DAY = date(2026, 5, 4)


@pytest.fixture
def dataset(small_set, tmp_path):
    shutil.copytree(small_set, tmp_path / "pst")
    return store.open(tmp_path / "pst")


def test_the_first_version_is_of_this_set_and_has_its_date(dataset):
    added = release.add_version(dataset, None, None, "The first.", DAY)
    assert added == release.current(dataset) == release.Version("1.0.0", "2026-05-04", dataset.manifest.seal)
    assert "The first." in (dataset.folder / release.CHANGELOG).read_text()


def test_the_newest_version_stands_first_and_older_ones_stay(dataset):
    for number in ("1.0.0", "1.0.1", "2.0.0"):
        release.add_version(dataset, number, None, "", DAY)
    assert [version.number for version in release.versions(dataset.folder)] == ["2.0.0", "1.0.1", "1.0.0"]
    assert (dataset.folder / release.CHANGELOG).read_text().count("# Versions of this set") == 1


@pytest.mark.parametrize("number", ["1.0.0", "0.9.9"])
def test_a_version_that_is_not_above_the_newest_is_refused(dataset, number):
    release.add_version(dataset, "1.0.0", None, "", DAY)
    with pytest.raises(BadInput, match="higher"):
        release.add_version(dataset, number, None, "", DAY)


@pytest.mark.parametrize("number", ["1.0", "v1.0.0", "01.0.0", "1.0.0-rc1", ""])
def test_a_version_that_is_not_semantic_is_refused(number):
    with pytest.raises(BadInput, match=r"MAJOR\.MINOR\.PATCH"):
        release.number(number)


def test_the_same_pairs_in_another_set_are_a_patch(dataset, tmp_path):
    release.add_version(dataset, "1.2.3", None, "", DAY)
    shutil.copytree(dataset.folder, tmp_path / "next")
    (tmp_path / "next" / release.CHANGELOG).unlink()
    added = release.add_version(store.open(tmp_path / "next"), None, dataset, "", DAY)
    assert added.number == "1.2.4"
    assert len(release.versions(tmp_path / "next")) == 2


def test_pairs_that_went_are_a_major_version_and_pairs_that_came_a_minor_one(dataset, tmp_path):
    smaller = fewer(dataset, tmp_path / "fewer")
    release.add_version(dataset, "1.2.3", None, "", DAY)
    assert release.add_version(smaller, None, dataset, "", DAY).number == "2.0.0"
    (dataset.folder / release.CHANGELOG).unlink()
    assert release.add_version(dataset, None, smaller, "", DAY).number == "2.1.0"


def fewer(dataset, folder):
    """The set without its last pair."""
    folder.mkdir()
    rows = list(dataset.rows())
    store.write_rows(folder, [row for row in rows if row.item.pair_id != rows[-1].item.pair_id])
    store.seal(folder, dataset.manifest)
    return store.open(folder)


def test_a_set_whose_changelog_is_about_another_has_no_version(dataset):
    release.add_version(dataset, None, None, "", DAY)
    with pytest.raises(BadInput, match="of this set already"):
        release.add_version(dataset, None, None, "A note.", DAY)
    file = dataset.folder / release.CHANGELOG
    file.write_text(file.read_text().replace(dataset.manifest.seal, "0" * 64))
    assert release.current(dataset) is None
    with pytest.raises(BadInput, match="not of this set"):
        release.add_version(dataset, None, None, "", DAY)


def test_errors_are_added_and_what_people_wrote_stays(dataset):
    folder = dataset.folder
    release.add_errata(folder, [])
    assert release.errata(folder) == frozenset()
    assert release.NONE_KNOWN in (folder / release.ERRATA).read_text()
    release.add_errata(folder, ["count-1-a"])
    file = folder / release.ERRATA
    file.write_text(file.read_text() + "- `count-2-b`: the cup is a bowl\n")
    release.add_errata(folder, ["count-1-a", "count-3-a"])
    assert release.errata(folder) == {"count-1-a", "count-2-b", "count-3-a"}
    assert "the cup is a bowl" in file.read_text()
    assert release.NONE_KNOWN not in file.read_text()
    assert file.read_text().count("count-1-a") == 1


def test_published_metadata_is_the_sealed_one_with_version_date_and_address(dataset):
    sealed = json.loads((dataset.folder / "croissant.json").read_bytes())
    version = release.add_version(dataset, None, None, "", DAY)
    release.write_croissant(dataset.folder, version, "https://huggingface.co/datasets/anna/pst")
    found = json.loads((dataset.folder / release.CROISSANT).read_bytes())
    added = {"version": "1.0.0", "datePublished": "2026-05-04", "url": "https://huggingface.co/datasets/anna/pst"}
    assert found == sealed | added
    assert not sealed.keys() & added.keys()


def test_nothing_is_written_through_a_link(dataset, tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    (dataset.folder / release.ERRATA).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable, match="link"):
        release.add_errata(dataset.folder, ["a"])
    assert (tmp_path / "elsewhere").read_text() == "mine"
