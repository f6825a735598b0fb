"""A damaged set is named as such; what fails outside the reading of a set is not blamed on it."""

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from pstgen.core.records import BadInput
from pstgen.dataset.damage import guarded, readable

SET = Path("pst")


@pytest.mark.parametrize(
    "error",
    [
        pa.ArrowInvalid("Parquet magic bytes not found"),
        msgspec.DecodeError("x"),
        ValueError("x"),
        FileNotFoundError("x"),
    ],
)
def test_what_reading_raises_names_the_set_and_the_remedy(error):
    with (
        pytest.raises(BadInput, match=r"pst: is damaged, or no set of this format: .*; pstgen verify pst examines it"),
        readable(SET),
    ):
        raise error


def test_what_the_machine_raises_is_the_machines():
    with pytest.raises(PermissionError), readable(SET):
        raise PermissionError(13, "Permission denied", "pst")


def rows():
    yield "first"
    raise ValueError("not a row")


def test_rows_pass_until_one_cannot_be_read():
    read = guarded(rows(), SET)
    assert next(read) == "first"
    with pytest.raises(BadInput, match=r"pst: is damaged, .*not a row"):
        next(read)
    assert list(guarded(iter("ab"), SET)) == ["a", "b"]


def test_what_fails_with_a_row_in_hand_is_not_the_sets_fault():
    def answer():
        for _ in guarded(rows(), SET):
            raise ValueError("the model's own")

    with pytest.raises(ValueError, match="the model's own"):
        answer()
