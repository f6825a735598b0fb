"""The pages that a set is built with say what `datasets`, the hub and mlcroissant read of its files."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from pstgen.core.records import Item
from pstgen.dataset import exporters, responsible, schema, store
from pstgen.dataset.exporters import card, datasheet
from pstgen.dataset.rows import Row


@pytest.fixture(scope="module")
def dataset(small_set):
    return store.open(small_set)


@pytest.fixture(scope="module")
def head(dataset):
    return yaml.safe_load((dataset.folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def test_datasets_loads_the_folder_with_the_columns_and_sizes_of_the_card(dataset, head, tmp_path):
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(str(dataset.folder), split="test", cache_dir=str(tmp_path))
    said = datasets.Features._from_yaml_list(head["dataset_info"]["features"])
    assert loaded.features == said
    (split,) = head["dataset_info"]["splits"]
    assert (split["name"], split["num_examples"]) == ("test", loaded.num_rows)
    assert head["dataset_info"]["download_size"] == sum(shard.stat().st_size for shard in dataset.shards)


def test_datasets_reads_the_information_of_the_card(dataset):
    hub = pytest.importorskip("huggingface_hub")
    info = pytest.importorskip("datasets.info")
    data = hub.DatasetCard.load(dataset.folder / "README.md").data
    read = info.DatasetInfosDict.from_dataset_card_data(data)["default"]
    assert read.splits["test"].num_examples == dataset.manifest.items
    assert list(read.features) == pq.read_schema(dataset.shards[0]).names


def test_a_card_that_miscounts_is_refused_by_datasets(dataset, head, tmp_path):
    """So that the test above can fail: `datasets` compares."""
    datasets = pytest.importorskip("datasets")
    (tmp_path / "pst").mkdir()
    (tmp_path / "pst" / "data").symlink_to(dataset.folder / "data")
    wrong = head | {
        "dataset_info": head["dataset_info"] | {"splits": [{"name": "test", "num_bytes": 1, "num_examples": 1}]}
    }
    (tmp_path / "pst" / "README.md").write_text(f"---\n{yaml.safe_dump(wrong)}---\n")
    with pytest.raises(datasets.exceptions.DatasetsError if hasattr(datasets, "exceptions") else Exception):
        datasets.load_dataset(str(tmp_path / "pst"), split="test", cache_dir=str(tmp_path / "cache"))


def test_the_card_of_a_set_of_drawings_names_their_licence(head):
    assert head["license"] == "cc0-1.0"


def test_a_plain_struct_a_list_and_a_list_of_structs_are_spelt_as_datasets_spells_them():
    datasets = pytest.importorskip("datasets")
    columns = pa.schema(
        [("a", pa.string()), ("b", schema.MARK), ("c", pa.list_(pa.int64())), ("d", pa.list_(schema.MARK))]
    )
    assert schema.card_features(columns) == datasets.Features.from_arrow_schema(columns)._to_yaml_list()


def test_commands_in_the_card_name_no_folder_but_their_own(dataset):
    assert "pst/" not in (dataset.folder / "README.md").read_text(encoding="utf-8")


def test_croissant_describes_every_column_and_what_is_known_of_its_use(dataset):
    record = json.loads((dataset.folder / "croissant.json").read_bytes())
    (items,) = record["recordSet"]
    assert [field["name"] for field in items["field"]] == pq.read_schema(dataset.shards[0]).names
    assert {f"rai:{name}" for name in responsible.REQUIRED} <= record.keys()
    assert record["prov:wasDerivedFrom"]["prov:label"] == dataset.manifest.origin["name"]
    assert any("prior" in activity["sc:description"] for activity in record["prov:wasGeneratedBy"])
    assert record["creator"]["name"] == f"pstgen {dataset.manifest.pstgen}"
    assert [each["@type"] for each in record["distribution"]].count("cr:FileSet") == 1
    assert not {"datePublished", "dateCreated"} & record.keys()


@pytest.mark.filterwarnings("ignore")
def test_croissant_gives_the_boxes_and_the_joints_of_the_evidence_from_several_files(dataset, tmp_path, monkeypatch):
    mlcroissant = pytest.importorskip("mlcroissant")
    monkeypatch.setattr(store, "SHARD_BYTES", 2**16)
    monkeypatch.setattr(store, "BATCH_ROWS", 8)
    store.write_rows(tmp_path, dataset.rows())
    several = store.Dataset(tmp_path, dataset.manifest)
    assert len(several.shards) > 1
    exporters.load("croissant").write(several, tmp_path)
    read = list(mlcroissant.Dataset(str(tmp_path / "croissant.json")).records("items"))
    cells = [row for shard in several.shards for row in pq.read_table(shard, columns=["evidence"]).to_pylist()]
    assert len(read) == len(cells)
    for found, row in zip(read, cells, strict=True):
        boxes = [{name.rpartition("/")[2]: each[name] for name in each} for each in found["items/evidence/regions"]]
        assert boxes == row["evidence"]["regions"]
        joints = [each["items/evidence/keypoints/name"].decode() for each in found["items/evidence/keypoints"]]
        assert joints == [joint["name"] for joint in row["evidence"]["keypoints"]]


def test_the_hubs_benchmark_file_names_the_split_and_how_many_pairs(dataset):
    found = yaml.safe_load((dataset.folder / "eval.yaml").read_bytes())
    assert found["tasks"] == [{"id": "pairs_won", "config": "default", "split": "test"}]
    assert f"{len(list(dataset.pairs()))} pairs" in found["description"]


def test_the_datasheet_has_its_sections_and_names_the_judges_and_what_it_is_not_for(dataset):
    text = (dataset.folder / "DATASHEET.md").read_text(encoding="utf-8")
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == list(datasheet.SECTIONS)
    assert all(f"- {judge}: " in text for judge in dataset.manifest.judges)
    assert "Surveillance" in text


def test_pages_do_not_change_with_the_clock_or_the_folder(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 0.0)
    for page in map(exporters.load_page, exporters.PAGES):
        assert page.page(dataset, tmp_path) == (dataset.folder / page.FILE).read_bytes()


@pytest.mark.parametrize(("items", "name"), [(999, "n<1K"), (1000, "1K<n<10K"), (99_999, "10K<n<100K")])
def test_a_set_is_in_the_hubs_category_of_its_size(items, name):
    assert card._size_category(items) == name


@pytest.fixture
def large_rows(scene):
    """Four rows with a picture of 0.3 MB each."""
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    rows = []
    for n in range(4):
        item = Item(
            item_id=f"p{n}-a", pair_id=f"p{n}", role="control", scene_id=f"world/{n}", image="", family="colour", form="of",
            about=("cup",), frame="neutral", question="?", neutral="?", options=("red", "blue"), answer="red", lure="red",
        )  # fmt: skip
        shown = scene(id=item.scene_id, width=320, height=320)
        rows.append(Row(item=item, scene=shown, image=out.getvalue(), suffix=".png"))
    return rows


def test_no_row_group_holds_more_pictures_than_a_viewer_loads(tmp_path, monkeypatch, large_rows):
    monkeypatch.setattr(store, "GROUP_BYTES", 700_000)
    store.write_rows(tmp_path, large_rows)
    (shard,) = (tmp_path / "data").iterdir()
    described = pq.read_metadata(shard)
    assert [described.row_group(n).num_rows for n in range(described.num_row_groups)] == [2, 2]


def test_every_column_has_an_index_of_its_pages(dataset):
    groups = [pq.read_metadata(file).row_group(0) for file in (*dataset.shards, dataset.folder / "scores.parquet")]
    assert all(group.column(n).has_offset_index for group in groups for n in range(group.num_columns))


def test_chunks_follow_the_content_where_pyarrow_can(tmp_path, monkeypatch, large_rows):
    """Which shows in the bytes: what pyarrow writes with that option is another file than without."""
    can = int(pa.__version__.split(".")[0]) >= 21
    written = []
    for name, options in (("with", store._indexed()), ("without", {"write_page_index": True})):
        monkeypatch.setattr(store, "_indexed", lambda options=options: options)
        (tmp_path / name).mkdir()
        store.write_rows(tmp_path / name, large_rows)
        written.append(next((tmp_path / name / "data").iterdir()).read_bytes())
    assert (written[0] != written[1]) == can


def test_the_same_rows_give_the_same_bytes(dataset, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        store.write_rows(tmp_path / name, dataset.rows())
    first, second = (sorted((tmp_path / name / "data").iterdir()) for name in ("one", "two"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in dataset.shards]
