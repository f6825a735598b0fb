"""`show` and `export` of sets that strangers made: their words are shown, never obeyed; what is damaged is one line."""

import shutil

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pstgen.cli import main
from pstgen.dataset import sealing, store
from pstgen.verification import certificate
from pstgen.verification.findings import Finding

SCRIPT = "<script>alert(1)</script>"


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)), env={"COLUMNS": "200"})


@pytest.fixture
def forged(small_set, tmp_path):
    """A copy of the set whose rows have other values in some columns."""

    def of(**values):
        folder = tmp_path / "forged"
        shutil.copytree(small_set, folder)
        for shard in (folder / "data").iterdir():
            table = pq.read_table(shard)
            rows = [{**row, **values} for row in table.to_pylist()]
            pq.write_table(table.from_pylist(rows, schema=table.schema), shard)
        return folder

    return of


def test_words_of_strangers_reach_the_terminal_as_they_are(forged):
    words = {"question": "\x1b]0;owned\x07[/bold] \u202eWhat?", "answer": "[red]a[/red]", "chain": ":smile:\x9b2J\n"}
    result = run("show", forged(**words))
    assert result.exit_code == 0, result.output
    for shown in (r"\x1b]0;owned\x07[/bold] \u202eWhat?", "[red]a[/red]", r":smile:\x9b2J\n"):
        assert shown in result.output
    assert not set(result.output) & set("\x1b\x07\x9b\u202e")


@pytest.mark.parametrize("column", ["pair_id", "question", "family", "answer", "chain", "source_image_id"])
def test_a_script_in_any_column_is_a_word_on_the_page(column, forged, tmp_path):
    page = tmp_path / "pairs.html"
    result = run("show", forged(**{column: f'"{SCRIPT}'}), "--html", page)
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "Content-Security-Policy" in text


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("scores.parquet", None),
        ("scores.parquet", b"junk"),
        ("data/test-00000-of-00001.parquet", b"\0" * 1000),
        ("data/test-00000-of-00001.parquet", b""),
        ("manifest.json", b"[" * 100_000),
    ],
)
@pytest.mark.parametrize("command", [("show",), ("export", "--to", "page", "--out", "pages")], ids=["show", "export"])
def test_a_damaged_set_is_one_line_and_2(command, file, content, small_set, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(small_set, "pst")
    (tmp_path / "pst" / file).unlink()
    if content is not None:
        (tmp_path / "pst" / file).write_bytes(content)
    result = run(command[0], "pst", *command[1:])
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("pstgen: pst")
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize(
    "values",
    [{"question": None}, {"options": None}, {"evidence": None}, {"scene": "{"}, {"image": None}],
    ids=lambda values: next(iter(values)),
)
def test_rows_that_are_none_are_one_line_and_2(values, forged):
    result = run("show", forged(**values))
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert "pstgen verify" in line


def test_a_picture_that_is_none_is_one_line_and_2(forged, tmp_path):
    folder = forged(image={"bytes": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "path": "a.png"})
    result = run("show", folder, "--picture", tmp_path / "pairs.png")
    assert result.exit_code == 2, result.output
    assert "none of JPEG, PNG" in result.stderr


@pytest.fixture
def certified(small_set, tmp_path):
    """A copy of the set, with a certificate that holds this against it; makes one."""

    def make(*problems, manifest=None):
        copy = tmp_path / "pst"
        shutil.copytree(small_set, copy)
        seal = manifest or store.open(copy).manifest.seal
        lists = {name: [] for name in ("anew", "tested", "not_tested", "on_trust", "proven", "not_proven")}
        finding = Finding(check="labels", summary="", problems=problems)
        issued = certificate.Certificate(
            format=certificate.FORMAT, pstgen="0", manifest=seal, sound=not problems, says="", thresholds={}, tried={},
            findings=[finding], **lists,
        )  # fmt: skip
        (copy / certificate.NAME).write_bytes(sealing.canonical(issued))
        return copy

    return make


def test_a_set_that_is_not_sound_is_not_exported_unless_it_is_said_beside_it(certified, tmp_path):
    copy = certified("a label is wrong")
    done = CliRunner().invoke(main, ["export", str(copy), "--to", "sheet", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "not sound (labels); --force" in done.output
    assert not (tmp_path / "out").exists()
    forced = CliRunner().invoke(main, ["export", str(copy), "--to", "sheet", "--out", str(tmp_path / "out"), "--force"])
    assert forced.exit_code == 0, forced.output
    assert "not sound (labels)" in (tmp_path / "out" / "NOT-SOUND.txt").read_text()


def test_a_sound_set_is_exported_by_a_name_with_hyphens(certified, tmp_path):
    words = ["export", str(certified()), "--to", "openai-batch", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "out" / "NOT-SOUND.txt").exists()


def test_another_sets_certificate_is_none(certified, tmp_path):
    copy = certified(manifest="0" * 64)
    done = CliRunner().invoke(main, ["export", str(copy), "--to", "sheet", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "another set's" in done.output
