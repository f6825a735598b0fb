"""The documentation site builds without a warning, opens from the disk, and loads nothing from elsewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

pytest.importorskip("material", reason="pip install mkdocs-material")
CHECKOUT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
TAG = re.compile(r"<(script|link|img|iframe|source|object)\b[^>]*?(?:src|href|data)=\"([^\"]*)\"")
ADDRESS = re.compile(r"<(?:a|img|script|link)\b[^>]*?(?:src|href)=\"(?!https?:|mailto:|data:|#|javascript:)([^\"#?]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` builds it."""
    out = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", CHECKOUT / "mkdocs.yml", "-d", out]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return out


def pages(site):
    """Every page of the site, with its text."""
    return {page: page.read_text(encoding="utf-8") for page in sorted(site.rglob("*.html"))}


def test_no_page_loads_anything_from_elsewhere(site):
    loaded = {address for text in pages(site).values() for _, address in TAG.findall(text)}
    assert loaded
    assert [address for address in loaded if re.match(r"(https?:)?//", address)] == []


def test_every_link_leads_to_a_file_of_the_site(site):
    missing = {
        (str(page.relative_to(site)), address)
        for page, text in pages(site).items()
        if page.name != "404.html"  # its addresses are those of a server's root
        for address in ADDRESS.findall(text)
        if not (page.parent / unquote(address)).exists()
    }
    assert missing == set()


def test_every_page_of_docs_stands_in_the_navigation():
    settings = yaml.safe_load((CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8"))
    named = set(re.findall(r"[\w/.-]+\.md", str(settings["nav"])))
    there = {page.relative_to(CHECKOUT / "docs").as_posix() for page in (CHECKOUT / "docs").rglob("*.md")}
    assert there - named == set()


def test_the_reference_has_every_command_function_and_plug_in(site):
    from pstgen import rewards
    from pstgen.cli import main
    from pstgen.core import plugins

    commands, library, kinds = (
        (site / "reference" / f"{name}.html").read_text(encoding="utf-8") for name in ("commands", "python", "plugins")
    )
    assert [name for name in main.commands if f'id="pstgen-{name}"' not in commands] == []
    assert 'id="pstgenevaluate"' in library
    assert f'id="{rewards.pair_gate.__name__}"' in library
    names = {name for kind in plugins.FOLDERS for name in plugins.names(kind)}
    assert [name for name in names if f"<code>{name}</code>" not in kinds] == []


@pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt-get install chromium")
def test_search_finds_a_word_in_a_page_that_is_opened_from_the_disk(site, tmp_path):
    words = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    page = f"{(site / 'why.html').as_uri()}?q=contrarian"
    done = subprocess.run([*words, "--virtual-time-budget=10000", page], capture_output=True, text=True, check=True)
    found = re.search(r'md-search-result__meta">(\d+) matching documents', done.stdout)
    assert found
    assert int(found[1]) >= 2
    assert "glossary.html" in done.stdout[done.stdout.index("md-search-result__list") :]
