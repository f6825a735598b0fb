"""A plug-in from outside is one file and one line of an entry point: it is found wherever its kind has a place."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from pstgen.core import plugins

OUTSIDE = Path(__file__).with_name("outside")
KINDS = {kind: f"foreign_{kind.removesuffix('s')}" for kind in plugins.FOLDERS} | {
    "families": "foreign_family",
    "targets": "foreign_target",
    "twins": "foreign_twin",
}
BUILD = ("--scenes", "160", "--size", "64", "--candidates", "20", "--wordings", "2", "--lm", "none", "--vlm", "none")
RECIPE = Path(__file__).with_name("few_steps.yaml").read_text() + "evaluations: [pst]\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder like site-packages, with a distribution that brings one plug-in of every kind."""
    folder = tmp_path_factory.mktemp("site")
    for file in OUTSIDE.glob("*.py"):
        (folder / file.name).write_text(file.read_text())
    metadata = folder / "foreign-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    points = (f"[pstgen.{kind}]\n{name} = {name}\n" for kind, name in KINDS.items())
    (metadata / "entry_points.txt").write_text("\n".join(points))
    return folder


@pytest.fixture(scope="module")
def pstgen(site):
    """Runs a command with those plug-ins installed."""

    def run(*words):
        environment = os.environ | {"PYTHONPATH": str(site), "COLUMNS": "200"}
        command = [sys.executable, "-m", "pstgen", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def built(pstgen, tmp_path_factory):
    """A set that every kind of plug-in had a part in, and what was printed."""
    out = tmp_path_factory.mktemp("foreign") / "pst"
    chosen = (
        *("--source", "foreign_source", "--family", "foreign_family", "--prior", "foreign_prior"),
        *("--twin", "foreign_twin", "--judge", "foreign_judge", "--engine", "foreign_engine"),
    )
    return out, pstgen("build", *chosen, *BUILD, "--out", out)


@pytest.fixture(scope="module")
def certificate(pstgen, built):
    """What `pstgen verify` wrote and printed of that set."""
    printed = pstgen("verify", built[0])
    return json.loads((built[0] / "certificate.json").read_bytes()), printed


def test_every_kind_has_a_plugin_here():
    assert set(KINDS) == set(plugins.FOLDERS)
    assert {f"{name}.py" for name in KINDS.values()} == {file.name for file in OUTSIDE.glob("*.py")}


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("sources", "build"),
        ("families", "build"),
        ("priors", "build"),
        ("twins", "build"),
        ("judges", "build"),
        ("engines", "build"),
        ("exporters", "export"),
        ("readers", "attack"),
    ],
)
def test_help_names_it(pstgen, kind, command):
    assert KINDS[kind] in "".join(pstgen(command, "--help").split())


def test_a_source_a_family_a_prior_a_twin_maker_a_judge_and_an_engine_make_a_set(built):
    out, printed = built
    assert "foreign_family" in printed
    (shard,) = (out / "data").glob("*.parquet")
    rows = pq.read_table(shard).to_pylist()
    assert {row["family"] for row in rows} == {"foreign_family"}
    assert {row["twin"] for row in rows} == {"foreign_twin"}
    assert set(pq.read_table(out / "scores.parquet")["judge"].to_pylist()) == {"foreign_judge"}
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["judges"] == {"foreign_judge": "1"}
    assert manifest["settings"]["source"]["source"] == "foreign_source"
    assert manifest["settings"]["questions"]["prior"] == "foreign_prior"
    assert manifest["settings"]["judges"]["engine"] == "foreign_engine"


def test_a_target_has_its_column(built):
    (shard,) = (built[0] / "data").glob("*.parquet")
    column = pq.read_table(shard)["target_foreign_target"].to_pylist()
    assert all(cell["bytes"].startswith(b"\x89PNG") for cell in column)


def test_a_check_and_an_attacker_are_in_the_certificate_and_in_the_table(certificate):
    written, printed = certificate
    assert "foreign_check" in {finding["check"] for finding in written["findings"]}
    assert "foreign_attacker" in json.dumps(written)
    assert "The items can be counted in twos." in json.dumps(written["proven"])
    assert "foreign_check" in printed
    assert "foreign_attacker" in printed


def test_an_exporter_writes(pstgen, built, tmp_path):
    pstgen("export", built[0], "--to", "foreign_exporter", "--out", tmp_path / "out")
    assert "Is there more than one" in (tmp_path / "out" / "questions.txt").read_text()


def test_a_reader_reads_what_attackers_attack(pstgen, tmp_path):
    lines = [f"Is there a cup in picture {n}?|{('yes', 'no')[n % 2]}" for n in range(40)]
    (tmp_path / "benchmark.txt").write_text("\n".join(lines))
    printed = pstgen("attack", tmp_path / "benchmark.txt", "--format", "foreign_reader")
    assert "foreign_attacker" in printed


def test_a_format_is_recognized(pstgen, tmp_path):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30), "red").save(tmp_path / name)
    (tmp_path / "mine.cups").write_text("a.png 2 3 10 12\nb.png 5 5 8 8\n")
    found = json.loads(pstgen("inspect", "--annotations", tmp_path / "mine.cups", "--prior-share", "0", "--json"))
    assert found["things"] == 2
    assert [kind["category"] for kind in found["kinds"]] == ["cup"]


def test_a_system_and_a_metric_are_in_the_table_the_report_and_the_results(pstgen, tmp_path):
    (tmp_path / "few.yaml").write_text(RECIPE)
    systems = "standard,foreign_system"
    printed = pstgen("train-eval", "--recipe", tmp_path / "few.yaml", "--systems", systems, "--out", tmp_path / "run")
    assert "foreign_system" in printed
    assert "letters an answer" in " ".join(printed.split())
    results = json.loads((tmp_path / "run" / "results.json").read_bytes())
    assert {arm["system"] for arm in results["arms"]} == {"standard", "foreign_system"}
    assert all(arm["figures"]["foreign_metric/letters"] > 0 for arm in results["arms"])
    report = (tmp_path / "run" / "report.html").read_text()
    assert "letters an answer" in report
    assert "foreign_system" in report
