"""Promises of prior.json: what was counted comes back, and anything else is refused by the file's name."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import BadInput, Unavailable
from pstgen.questions import prior_file

TALLY = Counter({
    (("colour", "of", ("banana",)), "yellow"): 40,
    (("colour", "of", ("banana",)), "green"): 2,
    (("relation", "horizontal", ("cup", "dog")), "left"): 7,
})  # fmt: skip
WORDS = st.text(min_size=1, max_size=8)
TALLIES = st.dictionaries(
    st.tuples(st.tuples(WORDS, WORDS, st.lists(WORDS, max_size=3).map(tuple)), WORDS),
    st.integers(1, 2**60),
    max_size=30,
).map(Counter)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "prior.json"
    prior_file.write(path, TALLY, 50, {"sha256 of mine.json": "abc"})
    return path


@given(TALLIES, st.integers(0, 10**7), st.randoms())
def test_what_is_written_comes_back_and_the_order_of_counting_changes_no_byte(tmp_path_factory, tally, scenes, rng):
    one, other = (tmp_path_factory.mktemp("priors") / "prior.json" for _ in range(2))
    rows = list(tally.items())
    rng.shuffle(rows)
    prior_file.write(one, tally, scenes, {"a": "1", "b": "2"})
    prior_file.write(other, Counter(dict(rows)), scenes, {"b": "2", "a": "1"})
    read = prior_file.read(one)
    assert (read.tally, read.scenes, read.fitted_on) == (tally, scenes, {"a": "1", "b": "2"})
    assert one.read_bytes() == other.read_bytes()
    assert prior_file.digest(one) == prior_file.digest(other)


def test_the_file_says_of_what_and_by_what_it_was_fitted_and_nothing_else_is_left_beside_it(file):
    told = json.loads(file.read_text())
    assert told["kind"] == "pstgen prior"
    assert told["scenes"] == 50
    assert told["fitted_on"] == {"sha256 of mine.json": "abc"}
    assert [path.name for path in file.parent.iterdir()] == ["prior.json"]


def test_an_older_prior_is_replaced_whole(file):
    prior_file.write(file, Counter(), 0, {})
    assert prior_file.read(file).tally == Counter()


def tampered(file, change):
    told = json.loads(file.read_text())
    change(told)
    file.write_text(json.dumps(told))


TAMPERINGS = {
    "a count": lambda told: told["counts"][0][3].update(yellow=41),
    "an answer": lambda told: told["counts"][0][3].update(blue=1),
    "a question": lambda told: told["counts"].append(["count", "many", ["cup"], {"1": 3}]),
    "a question taken out": lambda told: told["counts"].pop(),
    "a word": lambda told: told["counts"][0].__setitem__(2, ["lemon"]),
    "the seal": lambda told: told.update(seal="0" * 64),
    "a field that is none": lambda told: told.update(answers=3),
    "a count that is no number": lambda told: told["counts"][0][3].update(yellow="many"),
    "no seal": lambda told: told.pop("seal"),
}


@pytest.mark.parametrize("change", TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_changed_file_is_refused_by_name(file, change):
    tampered(file, change)
    with pytest.raises(BadInput, match=r"prior\.json: (its counts are not those that were written|is no prior)"):
        prior_file.read(file)


@given(st.data())
def test_a_file_of_which_any_one_byte_of_the_counts_differs_is_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("priors") / "prior.json"
    prior_file.write(path, TALLY, 50, {})
    code = bytearray(path.read_bytes())
    start, end = code.index(b'"counts":') + 9, code.index(b',"seal"')
    at = data.draw(st.integers(start, end - 1))
    code[at] = data.draw(st.integers(33, 126).filter(lambda byte: byte != code[at]))
    path.write_bytes(code)
    with pytest.raises(BadInput, match=r"prior\.json"):
        prior_file.read(path)


@pytest.mark.parametrize("n", [0, -3])
def test_counts_below_one_are_refused_even_where_they_are_sealed(tmp_path, n):
    prior_file.write(tmp_path / "prior.json", Counter({(("count", "many", ("cup",)), "1"): n}), 1, {})
    with pytest.raises(BadInput, match=r"prior\.json"):
        prior_file.read(tmp_path / "prior.json")


def test_another_format_is_refused_by_its_number(file):
    tampered(file, lambda told: told.update(format=1))
    with pytest.raises(BadInput, match=r"prior\.json: has format 1; this pstgen reads format 2: write it anew"):
        prior_file.read(file)


@pytest.mark.parametrize("code", [b"", b"\xff\xfe", b"[]", b'{"images": []}', b"{"])
def test_what_is_no_prior_is_refused_by_name(tmp_path, code):
    (tmp_path / "mine.json").write_bytes(code)
    with pytest.raises(BadInput, match=r"mine\.json: is no prior that pstgen wrote"):
        prior_file.read(tmp_path / "mine.json")


def test_where_there_is_none_the_command_that_writes_one_is_named(tmp_path):
    path = tmp_path / "prior.json"
    with pytest.raises(BadInput) as error:
        prior_file.read(path)
    assert str(error.value) == f"{path}: No such file or directory; `pstgen priors --save {path}` writes one"


@pytest.mark.parametrize("place", ["nowhere/prior.json", "folder"])
def test_where_it_cannot_be_written_it_is_said_and_nothing_is_left(tmp_path, place):
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unavailable, match="cannot be written"):
        prior_file.write(tmp_path / place, TALLY, 50, {})
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
