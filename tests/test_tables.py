"""What is printed of attacks: pairs first, and what the contrarian's stress twins are worth."""

from pstgen import attack, tables
from pstgen.cases import Case
from pstgen.config import VerifyConfig


def printed(capsys, monkeypatch, told, **more):
    monkeypatch.setenv("COLUMNS", "80")
    chosen = {"contrarian": [1 - case.lure for case in told], "lured": [case.lure for case in told]}
    reached = [attack.reach(name, told, way, VerifyConfig()) for name, way in chosen.items()]
    tables.attacks(attack.figures(reached), **more)
    return capsys.readouterr().out


PAIRED = [
    Case(f"{k}{role}", f"p{k}", f"s{k}{role}", "?", ("yes", "no"), answer, 0, role)
    for k in range(40)
    for role, answer in (("stress", 1), ("control", 0))
]
SINGLE = [Case(f"{k}", f"{k}", f"{k}", "?", ("yes", "no"), k % 2, 0) for k in range(40)]


def test_pairs_are_the_first_figure_and_stress_twins_come_with_control_twins(capsys, monkeypatch):
    told = printed(capsys, monkeypatch, PAIRED)
    heads = next(line for line in told.splitlines() if "attacker" in line)
    order = [heads.index(head) for head in ("pairs", "items", "stress", "control")]
    assert order == sorted(order)
    row = next(line for line in told.splitlines() if "contrarian" in line)
    assert row.split() == ["contrarian", "0.0", "8.8", "50.0", "45.6-50.0", "50.0-50.0", "100.0", "0.0"]


def test_it_is_said_that_the_contrarian_wins_stress_twins_by_design(capsys, monkeypatch):
    assert "by design" in printed(capsys, monkeypatch, PAIRED)
    assert "by design" not in printed(capsys, monkeypatch, SINGLE)


def test_chance_stands_beside(capsys, monkeypatch):
    told = " ".join(printed(capsys, monkeypatch, PAIRED).split())
    assert "Drawing options: 50.0% of the items, 25.0% of the pairs." in told


def test_without_pairs_none_are_shown(capsys, monkeypatch):
    told = printed(capsys, monkeypatch, SINGLE, seconds={"contrarian": 1.25, "lured": 0.5})
    heads = next(line for line in told.splitlines() if "attacker" in line)
    assert "pairs" not in heads
    assert heads.split()[-1] == "s"
    assert "1.2" in told
