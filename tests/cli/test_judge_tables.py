"""The judges' table fits 80 columns, neutral pairs stand first, and the gap is said in a sentence."""

from dataclasses import replace

import pytest

from pstgen.cli import judge_tables
from pstgen.dataset.judged import Hits, Judged, Ordinary, Reached

ORDINARY = Ordinary(right=38, of=50, low=0.619, high=0.869, by_chance=25.0)


def reached(stress, pairs, of):
    return Reached(stress=Hits(right=stress, of=of), pairs=Hits(right=pairs, of=of))


def line(name, *, sees=False, decides=None, ordinary=ORDINARY):
    parts = {"neutral": reached(1, 0, 40), "framed": reached(2, 0, 60), "all": reached(3, 0, 100)}
    return Judged(judge=name, sees=sees, decides=decides, ordinary=ordinary, **parts)


@pytest.fixture
def printed(capsys, monkeypatch):
    def show(*lines):
        monkeypatch.setenv("COLUMNS", "80")
        judge_tables.judges(lines)
        return capsys.readouterr().out

    return show


def test_ordinary_questions_stand_beside_neutral_pairs_then_framed_ones_then_all(printed):
    output = printed(line("prior"))
    heads = [output.index(word) for word in ("neutral", "framed", "all")]
    assert heads == sorted(heads)
    row = next(row for row in output.splitlines() if row.startswith("prior ")).split()
    assert row == ["prior", "76.0", "61.9-86.9", "50.0", "2.5", "0.0", "3.3", "0.0", "3.0", "0.0"]


def test_the_widest_gap_of_those_that_saw_nothing_is_said_in_a_sentence(printed):
    better = replace(ORDINARY, right=45)
    lines = [
        line("prior"),
        line("lm", ordinary=better),
        line("text", ordinary=None),
        line("vlm", sees=True, ordinary=None),
    ]
    output = " ".join(printed(*lines).split())
    assert output.endswith("lm: right on 90% of ordinary questions without looking, 3% of stress twins, 0 pairs.")
    assert output.count("right on") == 1
    assert "seeing vlm - - - 2.5" in output


def test_where_nobody_was_asked_ordinary_questions_the_sentence_is_about_the_set_alone(printed):
    output = " ".join(printed(line("prior", ordinary=None)).split())
    assert output.endswith("prior: right on 3% of stress twins, 0 pairs.")


def test_the_names_of_a_model_fit_80_columns(printed):
    output = printed(line("vlm/other-image", decides=True), line("vlm/seeing", sees=True))
    assert max(map(len, output.splitlines()[:8])) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in output
    assert "vlm/other-image " in output


def test_of_nobody_nothing_is_printed(printed):
    assert printed() == ""
