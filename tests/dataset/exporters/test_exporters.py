"""Every exporter writes into the folder that it is given, and what it writes is true of the set."""

import base64
import re
from html import unescape

import pytest
from PIL import Image

from pstgen.core import plugins
from pstgen.dataset import exporters, sampling, store
from pstgen.dataset.exporters import page, sheet


@pytest.fixture(scope="module")
def dataset(small_set):
    return store.open(small_set)


@pytest.mark.parametrize("name", plugins.names("exporters"))
def test_every_exporter_writes_into_the_folder_that_it_is_given_and_nowhere_else(dataset, tmp_path, name):
    before = {path: path.stat().st_mtime_ns for path in dataset.folder.rglob("*")}
    exporters.load(name).write(dataset, tmp_path)
    assert all(path.stat().st_size for path in tmp_path.iterdir())
    assert list(tmp_path.iterdir())
    assert {path: path.stat().st_mtime_ns for path in dataset.folder.rglob("*")} == before


@pytest.mark.filterwarnings("ignore")
def test_croissant_gives_every_row_with_its_picture_and_its_options(dataset, tmp_path):
    import mlcroissant

    exporters.load("croissant").write(dataset, tmp_path)
    metadata = mlcroissant.Dataset(str(tmp_path / "croissant.json"))
    assert not metadata.metadata.ctx.issues.errors
    (shard,) = metadata.metadata.record_sets
    read = list(metadata.records(shard.id))
    rows = list(dataset.rows())
    assert len(read) == len(rows) == dataset.manifest.items
    for found, row in zip(read[:10], rows, strict=False):
        given = {name.removeprefix(f"{shard.id}/"): value for name, value in found.items()}
        assert given["item_id"] == row.item.item_id.encode()
        assert [option.decode() for option in given["options"]] == list(row.item.options)
        assert given["image"].size == (row.scene.width, row.scene.height)
        assert given["target_mask"] is None or given["target_mask"].size == (row.scene.width, row.scene.height)
        assert given["pull_counts"][f"{shard.id}/pull_counts/value"] == row.item.pull_counts.value


def test_the_card_has_a_line_for_every_family_and_every_station(dataset, tmp_path):
    exporters.load("card").write(dataset, tmp_path)
    lines = (tmp_path / "README.md").read_text(encoding="utf-8").splitlines()
    for name in {item.family for item in dataset.items()}:
        assert any(line.startswith(f"| {name} | ") for line in lines)
    for station in dataset.manifest.funnel:
        assert any(line.startswith(f"| {station} |") for line in lines)


def test_the_page_shows_every_twin_with_its_answer_and_loads_nothing(dataset):
    pairs = sampling.pick(dataset, 6)
    shown = page.page(pairs, dataset.scores())
    for pair in pairs:
        article = re.search(rf'<article id="{pair.pair.pair_id}">.*?</article>', shown, re.DOTALL)[0]
        assert pair.pair.question in unescape(article)
        assert article.count("<figure>") == len(pair.rows)
        for row in pair.rows:
            assert base64.b64encode(row.image).decode() in article
            assert f">{row.item.answer}</strong> {row.item.role}" in article
    assert "<script" not in shown
    assert set(re.findall(r'src="([a-z]+:)', shown)) == {"data:"}


def test_the_page_says_what_each_judge_answers_to_the_wording_that_was_kept(dataset):
    (pair,) = sampling.pick(dataset, 1)
    kept = [score for score in dataset.scores() if score.kept and score.pair_id == pair.pair.pair_id]
    shown = page.page([pair], dataset.scores())
    for judge in {score.judge for score in kept}:
        answers = ", ".join(score.choice for score in kept if score.judge == judge)
        assert f"<tr><th>{judge}</th><td>{answers}</td></tr>" in shown


def test_an_absence_has_nothing_to_tint(dataset):
    rows = list(dataset.rows())
    assert {page.overlay(row) is None for row in rows if not any(t.kind == "mask" for t in row.targets)} <= {True}
    assert any(page.overlay(row) for row in rows)


def test_the_sheet_is_as_wide_as_its_largest_group(dataset):
    pairs = sampling.pick(dataset, 3)
    most = max(len(pair.rows) for pair in pairs)
    image = sheet.sheet(pairs, columns=1)
    assert isinstance(image, Image.Image)
    assert image.width == most * sheet.SIDE + (most + 1) * sheet.GAP
