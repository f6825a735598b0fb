"""Metadata is read by the format's own reader."""

import json
import shutil

import pytest

from pstgen.core.records import BadInput
from pstgen.verification import croissant

pytest.importorskip("mlcroissant")


@pytest.fixture
def file(small_set, tmp_path):
    shutil.copytree(small_set, tmp_path / "pst")
    return tmp_path / "pst" / "croissant.json"


def changed(file, change):
    record = json.loads(file.read_bytes())
    change(record)
    file.write_text(json.dumps(record))
    return file


def test_ten_records_of_the_record_set_are_read_and_nothing_is_written(file):
    before = sorted(file.parent.rglob("*"))
    assert croissant.read(file) == "croissant.json is valid; 10 records of items read"
    assert sorted(file.parent.rglob("*")) == before


def test_a_column_that_the_files_do_not_have_is_named(file):
    changed(file, lambda record: record["recordSet"][0]["field"][0]["source"]["extract"].update(column="item_number"))
    with pytest.raises(BadInput, match="item_number"):
        croissant.read(file)


def test_metadata_without_a_name_for_its_fields_types_is_invalid(file):
    changed(file, lambda record: record["recordSet"][0]["field"][0].pop("dataType"))
    with pytest.raises(BadInput, match="dataType"):
        croissant.read(file)


@pytest.mark.parametrize("name", ["rai:dataBiases", "rai:hasSyntheticData", "prov:wasDerivedFrom"])
def test_a_field_about_responsible_use_that_is_missing_is_named(file, name):
    changed(file, lambda record: record.pop(name))
    with pytest.raises(BadInput, match=name):
        croissant.read(file)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff"])
def test_a_file_that_is_not_json_is_refused(file, content):
    file.write_bytes(content)
    with pytest.raises(BadInput, match=r"croissant\.json"):
        croissant.read(file)
