"""A template is found beside its module, escapes what it shows, and says what it lacks."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import pstgen
from pstgen.core import pages

PACKAGE = Path(pstgen.__file__).parent
TEMPLATES = sorted(
    path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.jinja") if "weights" not in path.parts
)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_found_by_its_path_and_compiles(name):
    assert pages._environment().get_template(name)


def test_a_value_that_is_missing_is_an_error_and_no_gap():
    with pytest.raises(UndefinedError, match="is undefined"):
        pages.render("dataset/exporters/card.md.jinja", pairs=1, groups=1)


def test_html_is_escaped_and_markdown_is_not():
    assert pages._environment().autoescape("core/page.html.jinja")
    assert not pages._environment().autoescape("dataset/exporters/card.md.jinja")


GALLERY = "dataset/exporters/gallery.html.jinja"  # the one page with a script
MACROS = ("core/parts.html.jinja", "dataset/exporters/outline.html.jinja")
HTML = [name for name in TEMPLATES if name.endswith(".html.jinja") and name not in (GALLERY, *MACROS)]


@pytest.mark.parametrize("name", HTML)
def test_every_page_has_the_one_policy_which_allows_no_script(name):
    source = (PACKAGE / name).read_text()
    if name != "core/page.html.jinja":
        assert source.startswith('{% extends "core/page.html.jinja" %}')
    assert not re.search(r"<script|\son\w+=|javascript:|\|\s*safe\b|autoescape|Markup", source)


def test_the_gallery_runs_its_own_script_alone_by_its_hash():
    source = (PACKAGE / GALLERY).read_text()
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', source)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["script-src"] == "'sha256-{{ hash }}'"
    assert [rules[name] for name in ("default-src", "base-uri", "form-action")] == ["'none'"] * 3
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", source)
    assert scripts == ["{{ data | safe }}", "{{ script | safe }}"]
    assert source.count("safe") == len(scripts) + source.count("unsafe-inline")
    assert not re.search(r"\son\w+=|javascript:", source)


def test_the_policy_comes_before_anything_that_it_is_about_and_allows_styles_and_own_images_alone():
    source = (PACKAGE / "core/page.html.jinja").read_text()
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', source)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    images_and_styles = {"img-src": "data:", "style-src": "'unsafe-inline'"}
    assert rules == images_and_styles | dict.fromkeys(("default-src", "base-uri", "form-action"), "'none'")
    assert source.index(policy) < source.index("<title>")
    assert "<title>" in source


def test_no_page_is_written_by_hand():
    """HTML stands in templates, and in the audit's page, which comes from a server with a policy of its own."""
    by_hand = [
        path for path in PACKAGE.rglob("*.py") if re.search(r"</?(html|body|div|table|script)\b", path.read_text())
    ]
    assert by_hand == []
