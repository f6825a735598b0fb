"""A template is found beside its module, escapes what it shows, and says what it lacks."""

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
    with pytest.raises(UndefinedError, match="size_category"):
        pages.render("dataset/exporters/card.md.jinja")


def test_html_is_escaped_and_markdown_is_not():
    assert pages._environment().autoescape("core/page.html.jinja")
    assert not pages._environment().autoescape("dataset/exporters/card.md.jinja")
