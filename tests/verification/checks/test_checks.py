"""Whatever is changed in a finished set, `verify` says so and names it."""

import re

import pytest
from datasets import Image, load_dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput
from pstgen.dataset import store
from pstgen.verification import checks
from pstgen.verify import verify


def problems(folder, check=None):
    """What is wrong with it according to `verify`, or to one check alone."""
    config = VerifyConfig(folder=folder)
    findings = [checks.load(check).examine(store.open(folder), config)] if check else verify(config)
    return [problem for finding in findings for problem in finding.problems]


FILES = [
    "README.md",
    "DATASHEET.md",
    "LICENSE.md",
    "eval.yaml",
    "croissant.json",
    "manifest.json",
    "certificate.json",
    "certificate.html",
    "vulnerability.parquet",
    "scores.parquet",
    "data/test-00000-of-00001.parquet",
]


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_of_any_file_is_named(built, folder, name, data):
    code = bytearray((built / name).read_bytes())
    at = data.draw(st.integers(0, len(code) - 1))
    code[at] ^= 1 << data.draw(st.integers(0, 7))
    (folder / name).write_bytes(code)
    try:
        lines = problems(folder, "integrity")
    except BadInput as error:  # a manifest that is no longer one
        lines = [str(error)]
    assert any(name in line for line in lines), lines
    (folder / name).write_bytes((built / name).read_bytes())


def test_every_file_of_the_set_is_among_those(built):
    assert sorted(FILES) == sorted(str(path.relative_to(built)) for path in built.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_but_for_what_verify_writes(folder, name):
    (folder / name).unlink()
    try:
        lines = problems(folder, "integrity")
    except BadInput as error:
        lines = [str(error)]
    written = name.startswith(("certificate.", "vulnerability."))
    assert written == (not lines)
    assert written or any(name in line for line in lines)


def test_a_stranger_among_the_files_is_named(folder):
    (folder / "data" / "extra.bin").write_bytes(b"x")
    assert any("data/extra.bin" in line for line in problems(folder))  # all that verify says


def swapped(rows):
    rows[0]["answer"], rows[1]["answer"] = rows[1]["answer"], rows[0]["answer"]


def test_swapped_answers_are_named_even_if_the_forger_seals_them(forge):
    lines = problems(forge(swapped))
    assert any("the answer is" in line and "the set says" in line for line in lines)


@pytest.mark.parametrize(
    ("check", "change", "expected"),
    [
        ("pairs", lambda rows: rows.pop(), "one control, one stress twin"),
        ("pairs", lambda rows: rows[0].update(question=rows[0]["question"] + ","), "question differ"),
        ("pairs", lambda rows: rows[0].update(options=rows[0]["options"][::-1]), "options differ"),
        ("labels", lambda rows: rows[0].update(evidence=rows[2]["evidence"]), "evidence"),
        ("targets", lambda rows: rows[0].update(target_region=rows[2]["target_region"]), "target region"),
        ("separation", lambda rows: rows[0].update(image=rows[2]["image"]), "one and the same image"),
        ("duplicates", lambda rows: rows[0].update(image=rows[2]["image"]), "look alike (0 of 256 bits differ)"),
        (
            "pairs",
            lambda rows: [row.update(options=sorted(row["options"], key=row["lure"].__ne__)) for row in rows],
            "letters",
        ),
    ],
    ids=["twin gone", "comma", "option order", "evidence", "target", "another image", "look-alike", "lure first"],
)
def test_a_forgery_is_named(forge, check, change, expected):
    lines = problems(forge(change), check)
    assert any(expected in line for line in lines), lines


@pytest.mark.parametrize("check", ["image_probe", "edited_probe", "file_probe", "duplicates"])
def test_a_file_that_is_not_an_image_is_bad_input_that_names_the_item(forge, check):
    name = []

    def broken(rows):
        row = next(row for row in rows if row["twin"] != "matched")
        row["image"] = {"bytes": b"GIF89a", "path": "x.png"}
        name.append(row["item_id"])

    folder = forge(broken)
    with pytest.raises(BadInput, match=name[0]):
        problems(folder, check)


def test_a_scene_that_fed_the_prior_is_named(forge):
    from pstgen.questions.priors import is_prior_part

    name = next(f"world/{n}" for n in range(999) if is_prior_part(f"world/{n}", "", 0.2, 0))
    assert any(
        f"scene {name}: fed the prior" in line
        for line in problems(forge(lambda rows: rows[0].update(source_image_id=name)), "separation")
    )


def test_hugging_face_opens_it_with_images(built):
    read = load_dataset(str(built), split="test")
    assert {"pair_id", "role", "options", "answer", "answer_index", "family", "image", "lure"} <= set(read.column_names)
    assert isinstance(read.features["image"], Image)
    assert read[0]["image"].size == (64, 64)
    assert read[0]["options"][read[0]["answer_index"]] == read[0]["answer"]
    assert set(read["role"]) == {"stress", "control"}


@pytest.mark.filterwarnings("ignore")
def test_croissant_is_valid_and_gives_the_rows(built):
    import mlcroissant

    read = mlcroissant.Dataset(str(built / "croissant.json"))
    assert not read.metadata.issues.errors
    (records,) = read.metadata.record_sets
    rows = list(read.records(records.id))
    assert len(rows) == store.open(built).manifest.items


def test_the_card_counts_what_is_there(built):
    items = [item for item in store.open(built).items() if item.role == "control"]
    card = (built / "README.md").read_text()
    assert f"{len(items):,} pairs of images" in card
    for family in {item.family for item in items}:
        assert f"| {family} | {sum(item.family == family for item in items)} |" in card
    neutral = sum(item.frame == "neutral" for item in items)
    assert f"{neutral:,} pairs are in neutral words" in card
    assert f"In the other {len(items) - neutral:,} a claim suggests the lure" in card


def test_the_card_has_the_judges_and_what_a_coin_wins(built):
    card = (built / "README.md").read_text()
    for name in store.open(built).manifest.judges:
        assert re.search(rf"^\| {name}[^|]*\|([^|]+\|){{8}}$", card, re.MULTILINE), name
    assert "a coin between the twins' answers wins 2" in card
