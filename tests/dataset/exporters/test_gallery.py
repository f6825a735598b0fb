"""The gallery shows every pair whole, runs nothing but its own script, and loads nothing; what other pages share with it."""

import base64
import json
import re
import shutil
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pstgen.cli import main
from pstgen.core.records import BadInput
from pstgen.dataset import evidence, sampling, store
from pstgen.dataset.exporters import gallery, page, sheet
from pstgen.dataset.sampling import PairRows


@pytest.fixture(scope="module")
def dataset(small_set):
    return store.open(small_set)


@pytest.fixture(scope="module")
def folder(dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("page")
    gallery.write(dataset, out)
    return out


class Scripts(HTMLParser):
    """What stands in a page's scripts, as a browser reads it, by type."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.kind = {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.kind = dict(attributes).get("type", "script") if tag == "script" else None

    def handle_data(self, text):
        if self.kind:
            self.scripts.setdefault(self.kind, []).append(text)

    def handle_endtag(self, _tag):
        self.kind = None


def entries(folder):
    found = Scripts((folder / gallery.FILE).read_text(encoding="utf-8")).scripts["application/json"]
    return json.loads("".join(found))


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)), env={"COLUMNS": "200"})


def test_every_pair_and_twin_is_on_the_page_with_its_whole_question_answer_and_lure(dataset, folder):
    shown = {entry["id"]: entry for entry in entries(folder)}
    pairs = list(dataset.pairs())
    assert list(shown) == [pair.pair_id for pair in pairs]
    for pair in pairs:
        entry = shown[pair.pair_id]
        assert (entry["question"], entry["lure"], entry["options"]) == (pair.question, pair.lure, list(pair.options))
        assert [(twin["id"], twin["answer"]) for twin in entry["twins"]] == [(i.item_id, i.answer) for i in pair.items]


def test_pictures_beside_the_page_are_the_sets_own_bytes(dataset, folder):
    rows = {row.item.item_id: row.image for row in dataset.rows()}
    written = {
        twin["id"]: (folder / twin["image"]).read_bytes() for entry in entries(folder) for twin in entry["twins"]
    }
    assert written == rows


def test_pictures_in_the_page_are_the_sets_own_bytes_and_no_other_file_is_written(dataset, tmp_path):
    gallery.write(dataset, tmp_path, inline=True)
    assert [path.name for path in tmp_path.iterdir()] == [gallery.FILE]
    rows = {row.item.item_id: row.image for row in dataset.rows()}
    for twin in (twin for entry in entries(tmp_path) for twin in entry["twins"]):
        head, _, code = twin["image"].partition(",")
        assert (head, base64.b64decode(code)) == ("data:image/png;base64", rows[twin["id"]])


def test_every_judge_is_quoted_for_every_twin_in_the_wording_that_was_kept(dataset, folder):
    said = {}
    for score in dataset.scores():
        if score.kept:
            said.setdefault((score.pair_id, score.judge), {})[score.item_id] = score.choice
    shown = {(entry["id"], verdict["judge"]): verdict for entry in entries(folder) for verdict in entry["verdicts"]}
    assert shown.keys() == said.keys()
    for (name, judge), verdict in shown.items():
        assert verdict["sees"] == ("" not in said[name, judge])
        assert set(verdict["choices"]) == set(said[name, judge].values())


def test_a_pair_says_its_direction(dataset, folder):
    directions = {entry["id"]: entry["direction"] for entry in entries(folder)}
    assert directions == {pair.pair_id: pair.direction or "other" for pair in dataset.pairs()}
    assert {"yes", "no", "other"} <= set(directions.values())


def test_what_is_read_aloud_has_no_coordinates(dataset):
    assert any(re.search(r"\(\d+, \d+", row.chain) for row in dataset.rows())
    assert not any(re.search(r"\(-?\d+, ", evidence.words(row)) for row in dataset.rows())


def test_the_page_runs_its_own_script_alone_and_loads_nothing_from_elsewhere(folder):
    text = (folder / gallery.FILE).read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    (script,) = Scripts(text).scripts["script"]
    assert f"script-src 'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert not re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", text)
    assert not {"innerHTML", "eval(", "document.write"} & set(re.findall(r"innerHTML|eval\(|document\.write", script))


def test_words_of_strangers_stay_words(tmp_path):
    words = '</script><script>alert(1)</script><!-- "&lt;'
    entry = gallery.Entry(
        id="a", family=words, frame=words, twin="matched", direction="other", question=words, neutral=words,
        options=(words,), lure=words, twins=[], verdicts=[],
    )  # fmt: skip
    (tmp_path / gallery.FILE).write_text(gallery.page([entry], words), encoding="utf-8")
    text = (tmp_path / gallery.FILE).read_text(encoding="utf-8")
    assert entries(tmp_path)[0]["question"] == words
    assert len(Scripts(text).scripts["script"]) == 1


def test_most_takes_pairs_of_every_family_in_turn(dataset, tmp_path):
    gallery.write(dataset, tmp_path, most=6)
    families = [entry["family"] for entry in entries(tmp_path)]
    assert len(families) == 6
    assert len(set(families)) == min(6, len({pair.family for pair in dataset.pairs()}))


def test_a_page_that_no_browser_opens_is_refused_with_the_remedy(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "LARGEST", 10_000)
    with pytest.raises(BadInput, match="name fewer with --most, or leave out --inline"):
        gallery.write(dataset, tmp_path, inline=True)
    assert not (tmp_path / gallery.FILE).exists()


def test_the_command_writes_the_page_and_refuses_a_folder_that_holds_something(dataset, tmp_path):
    out = tmp_path / "gallery"
    result = run("gallery", dataset.folder, "--out", out, "--most", 2, "--inline")
    assert result.exit_code == 0, result.output
    assert f"{out / gallery.FILE}: open it in a browser" in result.output
    assert len(entries(out)) == 2
    assert run("gallery", dataset.folder, "--out", out).exit_code == 2


@pytest.mark.parametrize("values", [{"question": None}, {"options": None}, {"item_id": "../../x"}, {"scene": "{"}])
def test_a_damaged_set_is_one_line_and_2(dataset, tmp_path, values):
    copy, out = tmp_path / "pst", tmp_path / "out"
    shutil.copytree(dataset.folder, copy)
    (shard,) = (copy / "data").iterdir()
    table = pq.read_table(shard)
    pq.write_table(table.from_pylist([{**row, **values} for row in table.to_pylist()], schema=table.schema), shard)
    result = run("gallery", copy, "--out", out)
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) == 1
    assert not out.exists()


def test_the_page_of_show_outlines_what_the_gallery_outlines(dataset):
    pairs = sampling.pick(dataset, 6)
    shown = page.page(pairs, dataset.scores())
    outlined = [path for pair in pairs for row in pair.rows if (path := evidence.path(row))]
    assert outlined
    assert re.findall(r'class="over" d="([^"]*)"', shown) == outlined
    assert "<main>" in shown


def test_the_page_of_show_says_what_is_written_into_a_picture(dataset):
    (pair,) = sampling.pick(dataset, 1)
    assert "written into the picture" not in page.page([pair], [])
    written = PairRows(pair.stress, replace(pair.control, item=replace(pair.control.item, label="No dog & no cat")))
    assert "written into the picture: “No dog &amp; no cat”" in page.page([written], [])


def test_an_overlay_covers_nothing_of_what_it_is_about_but_its_rim(dataset):
    masks = ((row, evidence.mask(row)) for row in dataset.rows() if row.item.evidence and not evidence.joints(row))
    row = next(row for row, mask in masks if not (mask[[0, -1]].any() or mask[:, [0, -1]].any()))  # not cut by the edge
    drawn = cv2.imdecode(np.frombuffer(page.overlay(row), np.uint8), cv2.IMREAD_UNCHANGED)
    height, width = drawn.shape[:2]
    assert (width % row.scene.width, height % row.scene.height) == (0, 0)
    inside = cv2.erode(evidence.mask(row), np.ones((3, 3), np.uint8))
    middle = cv2.resize(inside, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    assert middle.any()
    assert not drawn[middle][:, 3].any()
    assert drawn[..., 3].any()


@pytest.mark.parametrize("longer", [1, 4])
def test_a_question_on_the_sheet_is_never_cut(dataset, longer):
    (pair,) = sampling.pick(dataset, 1)
    question = f"{pair.pair.question} " * longer
    control = replace(pair.control, item=replace(pair.control.item, question=question))
    drawn = sheet.sheet([PairRows(pair.stress, control)])
    lines = sheet._wrapped(question, drawn.width - 2 * sheet.GAP, 17)
    assert " ".join(lines) == question.strip()
    assert (drawn.height - sheet.sheet([pair]).height) % sheet.LINE == 0
    assert drawn.height == sheet.sheet([pair]).height + sheet.LINE * (len(lines) - 1)


def test_a_word_that_is_longer_than_a_line_is_broken():
    lines = sheet._wrapped(f"a {'m' * 200} b", 300, 17)
    assert "".join(lines).replace(" ", "") == f"a{'m' * 200}b"


def luminance(colour):
    """WCAG 2's relative luminance of #rgb or #rrggbb."""
    code = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(code[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", [1, 2], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "least"), [("ink", 7), ("quiet", 4.5), ("good", 4.5), ("bad", 4.5), ("focus", 4.5), ("field", 3)]
)
def test_what_is_written_stands_out_from_the_page(folder, mode, ink, least):
    text = (folder / gallery.FILE).read_text(encoding="utf-8")
    colours = {m[1]: m for m in re.finditer(r"--(\w+): light-dark\((#\w+), (#\w+)\)", text)}
    for paper in ("paper", "card"):
        high, low = sorted((luminance(colours[name][mode + 1]) for name in (ink, paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least
