"""What `pstgen eye measure` prints."""

import pytest
from click.testing import CliRunner

from pstgen.cli import main
from pstgen.training.eye import measure
from pstgen.training.eye.measure import Figure

FIGURES = [
    Figure("colour", "is", 400, 0.5, 262, 249, 205),
    Figure("colour", "of", 400, 0.25, 400, 397, 213),
    Figure("existence", "given", 400, 0.5, 390, 389, 200),
]


@pytest.fixture
def printed(monkeypatch):
    """What it prints of these figures on a narrow terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(measure, "measure", lambda *_: FIGURES)
    ran = CliRunner().invoke(main, ["eye", "measure"])
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def test_it_is_a_table_that_fits_and_no_markdown(printed):
    assert "|" not in printed
    assert "**" not in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_families_stand_above_their_sentences_with_shares_and_intervals(printed):
    rows = [line.split() for line in printed.splitlines()]
    assert ["colour", "800", "38", "82.8", "(80-85)", "80.8", "(78-83)", "52.2", "(49-56)"] in rows
    names = [row[0] for row in rows if row and row[0] in {"colour", "is", "of", "existence", "given"}]
    assert names == ["colour", "is", "of", "existence", "given"]
