"""A leak of every kind, planted in a sound set on the disk and sealed, is caught by the checks that look for it."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from pstgen.core.config import VerifyConfig
from pstgen.dataset import store
from pstgen.scenes import pixels
from pstgen.scenes.png import encode as png
from pstgen.verification import checks


def unsound(folder, *names):
    """Those of the checks that find something wrong, and what they say."""
    config = VerifyConfig(folder=folder)
    findings = (checks.load(name).examine(store.open(folder), config) for name in names)
    return {finding.check: finding.problems for finding in findings if not finding.sound}


def file(image, form, **more):
    code = io.BytesIO()
    Image.fromarray(image).save(code, form, **more)
    return code.getvalue()


def test_the_answer_in_the_order_of_options(forge):
    """In every item the answer stands first."""

    def leak(rows):
        for row in rows:
            row["options"] = sorted(row["options"], key=row["answer"].__ne__)
            row["answer_index"] = 0

    problems = unsound(forge(leak), "pairs", "attackers")
    assert any("options differ" in line for line in problems["pairs"])
    assert any("of the pairs" in line for line in problems["attackers"])


def test_the_answer_in_the_length_of_options(forge):
    """The right option is three letters longer."""

    def leak(rows):
        for row in rows:
            lure = row["options"].index(row["lure"])
            row["options"] = [option + "..." * (option == row["answer"]) for option in row["options"]]
            row["answer"], row["lure"] = row["options"][row["answer_index"]], row["options"][lure]

    problems = unsound(forge(leak), "pairs", "attackers")
    assert any("options differ" in line for line in problems["pairs"])
    assert any("of the pairs" in line for line in problems["attackers"])


def test_a_comma_more_in_the_stress_twins(forge):
    def leak(rows):
        for row in rows:
            row["question"] += "," * (row["role"] == "stress")

    problems = unsound(forge(leak), "pairs", "attackers")
    assert any("question differ" in line for line in problems["pairs"])
    assert any("of the pairs" in line for line in problems["attackers"])


def test_one_pair_with_a_comma_more_is_named(forge):
    names = []

    def leak(rows):
        row = next(row for row in rows if row["role"] == "stress")
        row["question"] += ","
        names.append(row["pair_id"])

    assert unsound(forge(leak), "pairs") == {"pairs": (f"pair {names[0]}: the twins' question differ",)}


@pytest.mark.parametrize("what", ["answer", "role"])
def test_the_answer_or_the_role_in_the_name_of_the_file(forge, what):
    def leak(rows):
        for n, row in enumerate(rows):
            row["image"]["path"] = f"{n:06}-{row[what].replace(' ', '_')}.png"

    folder = forge(leak)
    assert set(unsound(folder, "file_probe", "pairs", "separation", "image_probe")) == {"file_probe"}


@pytest.mark.parametrize(
    ("form", "more", "by"),
    [
        ("PNG", {}, "notes, greater in 0% and less in 100%"),
        ("JPEG", {"quality": 70}, "luma, greater in 100%"),
        ("JPEG", {"quality": 80, "progressive": True}, "notes, greater in 100%"),
    ],
    ids=["a PNG among JPEGs", "other JPEG tables", "a progressive JPEG"],
)
def test_stress_twins_that_were_saved_otherwise(forge, form, more, by):
    def leak(rows):
        for row in rows:
            image = pixels.decode(row["image"]["bytes"])
            row["image"]["bytes"] = (
                file(image, form, **more) if row["role"] == "stress" else file(image, "JPEG", quality=80)
            )

    problems = unsound(forge(leak), "file_probe")
    assert f"most of all by {by}" in problems["file_probe"][0], problems


def test_pictures_that_were_all_saved_anew_are_sound(forge):
    """Not the format is the leak, but that it goes with the role."""

    def alike(rows):
        for row in rows:
            row["image"]["bytes"] = file(pixels.decode(row["image"]["bytes"]), "JPEG", quality=80)

    assert unsound(forge(alike), "file_probe", "edited_probe") == {}


def test_one_sided_edits(forge):
    """Of edited pairs only the stress twin bears an edit's trace: a box that is smoothed."""

    def leak(rows):
        for row in rows:
            if row["twin"] != "matched":
                image = pixels.decode(row["image"]["bytes"]).copy()
                if row["role"] == "stress":
                    image[16:48, 16:48] = cv2.GaussianBlur(image[16:48, 16:48], (0, 0), 1.5)
                row["image"]["bytes"] = png(image[:, :, ::-1])

    problems = unsound(forge(leak), "edited_probe", "pairs", "separation")
    assert set(problems) == {"edited_probe"}
    assert any("the stress twin" in line for line in problems["edited_probe"])


def test_a_mark_in_a_corner_that_goes_with_the_answer(forge):
    """A probe that does not know the question finds what a model would soon learn."""

    def leak(rows):
        first: dict[str, str] = {}
        for row in rows:
            first[row["pair_id"]] = min(row["answer"], first.get(row["pair_id"], row["answer"]))
        for row in rows:
            if row["twin"] != "matched":
                image = pixels.decode(row["image"]["bytes"]).copy()
                image[:8, :8] = 255 if row["answer"] == first[row["pair_id"]] else 0
                row["image"]["bytes"] = png(np.ascontiguousarray(image[:, :, ::-1]))

    assert "image_probe" in unsound(forge(leak), "image_probe")


def test_a_lure_that_is_not_offered_is_named_and_not_attacked(forge):
    def leak(rows):
        rows[0]["lure"] = "nothing that is offered"

    problems = unsound(forge(leak), "pairs", "attackers")
    assert any("do not hold answer and lure" in line for line in problems["pairs"])
    assert ["nobody can attack" in line for line in problems["attackers"]] == [True]
