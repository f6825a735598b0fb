"""The scripts in benchmarks/: all can be loaded, those that make tables say what they measure, and tables go to their place."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"
SCRIPTS = sorted([*FOLDER.glob("*.py"), *FOLDER.glob("gpu/*.py")])
PAGE = ROOT / "docs" / "performance.md"
MAKEFILE = (ROOT / "Makefile").read_text()
BENCH = sorted(set(re.findall(r"benchmarks/(\w+)\.py", MAKEFILE.partition("\nbench:")[2])))
TABLES = ("coco_load", "endurance", "engines", "harness", "judging", "kills", "scale")


@pytest.fixture(autouse=True)
def _beside(monkeypatch):
    """Scripts import those beside them, as they do when they are run."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(FOLDER):
            del sys.modules[name]


def loaded(path, monkeypatch):
    spec = importlib.util.spec_from_file_location(f"benchmark_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_script_loads_and_says_what_it_is_for(path, monkeypatch):
    assert loaded(path, monkeypatch).__doc__


@pytest.mark.parametrize("name", sorted({*TABLES, *BENCH}))
def test_a_script_that_make_bench_runs_says_how_it_is_called_and_does_nothing(name):
    run = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "--write" in run.stdout or name not in TABLES
    assert run.stdout.lower().startswith("usage:")


@pytest.mark.parametrize("name", TABLES)
def test_make_bench_writes_the_tables_to_places_that_the_page_has(name):
    assert name in BENCH
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(f"<!-- {name} -->\n") == page.count(f"<!-- end of {name} -->") == 1


def test_a_table_takes_the_place_of_the_last_one_and_leaves_the_rest(tmp_path, monkeypatch):
    tables = loaded(FOLDER / "tables.py", monkeypatch)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- speed -->\nold\n<!-- end of speed -->\nafter\n")
    for _ in range(2):
        tables.put(page, "speed", tables.table(["what", "s"], [["reading", "1.5"]]))
    assert page.read_text() == (
        "before\n<!-- speed -->\n| what | s |\n| --- | ---: |\n| reading | 1.5 |\n<!-- end of speed -->\nafter\n"
    )


def test_a_page_without_the_place_stays_as_it_is_and_the_error_names_it(tmp_path, monkeypatch):
    tables = loaded(FOLDER / "tables.py", monkeypatch)
    page = tmp_path / "page.md"
    page.write_text("<!-- speed -->\nno end\n")
    with pytest.raises(SystemExit, match="end of speed"):
        tables.put(page, "speed", "new")
    assert page.read_text() == "<!-- speed -->\nno end\n"


@pytest.mark.slow
def test_builds_that_are_killed_end_with_the_bytes_of_the_others(tmp_path):
    """The script itself, at its smallest."""
    page = tmp_path / "page.md"
    page.write_text("<!-- kills -->\n<!-- end of kills -->\n")
    command = [sys.executable, FOLDER / "kills.py", "--kills", "1", "--write", page]
    subprocess.run(command, capture_output=True, check=True, timeout=600)
    assert re.search(r"\| kills \| 1,", page.read_text())
    assert " hold. " in page.read_text()
