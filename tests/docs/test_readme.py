"""The README's figures are those that benchmarks and runs wrote."""

import json
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
NAMES = {
    "standard VLM": "standard",
    "never sees an image": "question_only",
    "tools: a detector, told in words": "tools",
    "perceptual reward, random targets": "random_targets",
    "perceptual reward": "perceptual_reward",
}


def rows(text):
    """The cells of a Markdown table's rows, without bold."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not set(line) <= set("|-: ")]
    return [[cell.strip().strip("*") for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_speed_is_the_one_that_its_commands_printed():
    text = README[README.index("<!-- figures -->") : README.index("<!-- end of figures -->")]
    written = json.loads((CHECKOUT / "docs" / "figures.json").read_text(encoding="utf-8"))
    assert dict(rows(text)[1:]) == written
    assert len(written) >= 6
    words = " ".join(README.split())
    kept = [
        found[0] for says in written.values() for found in [re.search(r"[\d,]+ pairs in \w+ families", says)] if found
    ]
    assert len(kept) == 2
    assert all(words.count(pairs) == 2 for pairs in kept)  # in the first paragraphs, and in the table


@pytest.mark.parametrize(("recipe", "file"), [("small", "results.json"), ("medium", "medium/results.json")])
def test_the_table_of_systems_is_that_of_their_results(recipe, file):
    results = json.loads((CHECKOUT / "docs" / "results" / file).read_text(encoding="utf-8"))
    figures = {arm["system"]: arm["figures"] for arm in results["arms"]}
    flops = {arm["system"]: arm["flops"] for arm in results["arms"]}
    table = README[README.index("| recipe | |") : README.index("On ordinary benchmarks a guess looks like sight")]
    of = ""
    seen = 0
    for name, system, *cells in rows(table)[1:]:
        of = name or of
        if of == recipe:
            told = figures[NAMES[system]]
            assert cells[:3] == [f"{told[key]:.1f}" for key in ("vqa/overall", "gqa/accuracy", "pst/pair")]
            assert cells[4] == f"{flops[NAMES[system]] / flops['standard']:.2f} \N{MULTIPLICATION SIGN}"
            seen += 1
    assert seen >= 2


def test_no_file_that_the_readme_links_to_is_missing():
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README)
    assert links
    assert [link for link in links if not (CHECKOUT / link).exists()] == []


def test_what_the_eye_sees_is_what_its_card_says():
    card = (CHECKOUT / "pstgen" / "models" / "weights" / "eye" / "README.md").read_text(encoding="utf-8")
    seen = {cells[0]: float(cells[4].partition("%")[0]) for cells in rows(card)[1:] if cells[0]}
    says = " ".join(README[README.index("The eye on that world:") :].split())
    for family, percent in (
        ("existence", 93.2),
        ("colour", 93.5),
        ("count", 86.2),
        ("relation", 87.9),
        ("depth", 92.0),
    ):
        assert seen[family] == percent
        assert f"{percent:g} %" in says
