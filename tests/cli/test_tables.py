"""What is printed of attacks: pairs first, and what the contrarian's stress twins are worth."""

from dataclasses import replace

from pstgen.cli import tables
from pstgen.core.config import VerifyConfig
from pstgen.verification import attack
from pstgen.verification.findings import Finding
from pstgen.verification.samples import Sample


def printed(capsys, monkeypatch, samples, **options):
    monkeypatch.setenv("COLUMNS", "80")
    choices = {"contrarian": [1 - sample.lure for sample in samples], "lured": [sample.lure for sample in samples]}
    results = [attack.measure(name, samples, chosen, VerifyConfig()) for name, chosen in choices.items()]
    tables.attacks(results, **options)
    return capsys.readouterr().out


PAIRED = [
    Sample(f"{k}{role}", f"p{k}", f"s{k}{role}", "?", ("yes", "no"), answer, 0, role)
    for k in range(40)
    for role, answer in (("stress", 1), ("control", 0))
]
SINGLE = [Sample(f"{k}", f"{k}", f"{k}", "?", ("yes", "no"), k % 2, 0) for k in range(40)]


def test_pairs_are_the_first_figure_and_stress_twins_come_with_control_twins(capsys, monkeypatch):
    output = printed(capsys, monkeypatch, PAIRED)
    heads = next(line for line in output.splitlines() if "attacker" in line)
    order = [heads.index(head) for head in ("pairs", "items", "stress", "control")]
    assert order == sorted(order)
    row = next(line for line in output.splitlines() if "contrarian" in line)
    assert row.split() == ["contrarian", "0.0", "8.8", "50.0", "45.6-50.0", "50.0-50.0", "100.0", "0.0"]


def test_it_is_said_that_the_contrarian_wins_stress_twins_by_design(capsys, monkeypatch):
    assert "by design" in printed(capsys, monkeypatch, PAIRED)
    assert "by design" not in printed(capsys, monkeypatch, SINGLE)


def test_chance_stands_beside(capsys, monkeypatch):
    output = " ".join(printed(capsys, monkeypatch, PAIRED).split())
    assert "Guessing at random gives 50.0% of the items, 25.0% of the pairs;" in output
    assert "thrown for each picture, a coin between the twins' answers 25.0%;" in output
    assert "answering one twin of every pair gives 50.0% of the items" in output
    assert "Attackers train on 0% of the set and are tested on the rest." in output


def test_what_is_reached_of_neutral_words_is_said_before_framed_ones_where_frames_are_known(capsys, monkeypatch):
    framed = [replace(sample, frame="leading" if sample.pair < "p2" else "neutral") for sample in PAIRED]
    output = " ".join(printed(capsys, monkeypatch, framed).split())
    words = "The most that any reaches: 50.0% of the items in neutral words (lured), 50.0% of the items in misleading words (lured)."
    assert words in output
    assert "neutral words" not in printed(capsys, monkeypatch, PAIRED)


def test_with_every_column_the_table_fits_80_columns_in_plain_words(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = ["blinded_tuned", "transformer"]
    correct = [sample.answer for sample in PAIRED]
    results = [attack.measure(name, PAIRED, correct, VerifyConfig()) for name in names]
    tables.attacks(results, dict.fromkeys(names, 1234.5))
    table, _, rest = capsys.readouterr().out.partition("Guessing")
    assert max(map(len, table.splitlines())) <= 80
    heads = [table.splitlines()[n].split() for n in (1, 2)]
    assert heads[0] == ["pairs", "items", "items"]
    assert " ".join(heads[1]) == "attacker pairs at most items 95% CI bootstrap stress control seconds"
    for name in names:
        assert next(line for line in table.splitlines() if line.startswith(name)).split()[-1] == "1234.5"
    assert (table + rest).replace("\N{BOX DRAWINGS LIGHT HORIZONTAL}", "-").isascii()


FINDINGS = [
    Finding(check="pairs", summary="20 pairs [all of them]"),
    Finding(check="labels", summary="40 answers", problems=("item a: wrong",)),
    Finding(check="image_probe", summary="3 edited pairs", untested="too few to probe"),
]


def test_findings_have_three_states_and_a_heading_for_each_column(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    tables.findings(FINDINGS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["check", "result", "finding"]
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in lines[2:5]}
    assert rows == {
        "pairs": "sound 20 pairs [all of them]",
        "labels": "NOT SOUND 40 answers",
        "image_probe": "not tested too few to probe",
    }
    assert lines[5:] == ["labels: item a: wrong"]


def test_without_pairs_none_are_shown(capsys, monkeypatch):
    output = printed(capsys, monkeypatch, SINGLE, seconds={"contrarian": 1.25, "lured": 0.5})
    heads = next(line for line in output.splitlines() if "attacker" in line)
    assert "pairs" not in heads
    assert heads.split()[-1] == "seconds"
    assert "1.2" in output
