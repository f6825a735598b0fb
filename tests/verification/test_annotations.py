"""What people say is never lost, and what it comes to is exact."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta
from sklearn.metrics import cohen_kappa_score

from pstgen.core.records import BadInput, Unavailable
from pstgen.verification import annotations

SEAL = "5e41"
WORDS = ["right", "wrong", "ambiguous"]


def said(item, verdict, who="anna", family="count"):
    pair = item.rpartition("-")[0]
    return annotations.Line(item=item, pair=pair, family=family, who=who, verdict=verdict, seed=0, manifest=SEAL)


def speech(*verbs):
    """Any speech of two people about a few twins."""
    items = st.sampled_from([f"{pair}-{twin}" for pair in ("c1", "c2", "ü3") for twin in "ab"])
    return st.lists(st.builds(said, items, st.sampled_from([*WORDS, *verbs]), st.sampled_from(["anna", "bø\n"])))


def coded(lines):
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


@given(lines=speech("undo"), data=st.data())
def test_whatever_a_crash_leaves_reads_as_a_beginning_of_what_was_said(tmp_path_factory, lines, data):
    path = tmp_path_factory.mktemp("audit") / annotations.FILE
    code = coded(lines)
    kept = code[: data.draw(st.integers(0, len(code)))]
    path.write_bytes(kept)
    assert annotations.read(path) == lines[: kept.count(b"\n")]
    annotations.append(path, said("c9-a", "wrong"))
    assert annotations.read(path) == [*lines[: kept.count(b"\n")], said("c9-a", "wrong")]


def test_a_line_is_added_and_none_is_changed(tmp_path):
    path = tmp_path / annotations.FILE
    annotations.append(path, said("c1-a", "right"))
    before = path.read_bytes()
    annotations.append(path, said("c1-a", "undo"))
    assert path.read_bytes().startswith(before)
    assert path.read_bytes().count(b"\n") == 2


def test_no_file_is_no_verdict(tmp_path):
    assert annotations.read(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    "line", [b"{}", b"right", b'{"item": 3}', b"\xff", coded([said("c1-a", "right")])[:-3] + b"?}"]
)
def test_a_line_that_is_no_verdict_is_named_by_its_number(tmp_path, line):
    path = tmp_path / annotations.FILE
    path.write_bytes(coded([said("c1-a", "right")]) + line + b"\n")
    with pytest.raises(BadInput, match=r"audit\.jsonl: line 2"):
        annotations.read(path)


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / annotations.FILE).mkdir()
    with pytest.raises(Unavailable, match="cannot be written"):
        annotations.append(tmp_path / annotations.FILE, said("c1-a", "right"))


@given(speech("undo"))
def test_one_verdict_a_person_and_item_stands_in_the_order_of_the_file(lines):
    held = annotations.standing(lines)
    assert len({(line.who, line.item) for line in held}) == len(held)
    assert all(line.verdict in WORDS for line in held)
    rest = iter(lines)
    assert all(line in rest for line in held)


@given(speech("undo"), speech())
def test_taking_everything_back_gives_what_stood_before(before, after):
    held = annotations.standing(before)
    back = [msgspec.structs.replace(line, verdict="undo") for line in reversed(after)]
    assert annotations.standing([*before, *after, *back]) == held


def test_an_undo_brings_the_verdict_before_back():
    lines = [said("c1-a", "right"), said("c1-b", "right"), said("c1-a", "wrong"), said("c1-a", "undo")]
    assert annotations.standing(lines) == [said("c1-a", "right"), said("c1-b", "right")]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), min_size=1))
def test_kappa_is_sklearns(both):
    one, other = zip(*both, strict=True)
    ours = annotations.kappa(one, other)
    if len(set(one + other)) == 1:
        assert ours is None  # 0 / 0
    else:
        assert ours == pytest.approx(cohen_kappa_score(one, other))


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_bounds_are_clopper_pearson(counted):
    hits, n = counted
    rate = annotations.rate([True] * hits + [False] * (n - hits), 0.95)
    assert rate.low == pytest.approx(beta.ppf(0.025, hits, n - hits + 1) if hits else 0)
    assert rate.high == pytest.approx(beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1)


def test_nothing_that_stands_is_no_audit():
    assert annotations.outcome([], 0.95) is None
    assert annotations.outcome([said("c1-a", "right"), said("c1-a", "undo")], 0.95) is None


def test_an_audit_counts_labels_pairs_and_families():
    lines = [
        said("c1-a", "wrong"),
        said("c1-b", "wrong"),
        said("c2-a", "right"),
        said("d1-a", "ambiguous", family="depth"),
    ]
    told = annotations.outcome(lines, 0.95)
    assert (told.wrong.count, told.wrong.of, told.ambiguous.count) == (2, 4, 1)
    assert (told.pairs_wrong.count, told.pairs_wrong.of) == (1, 3)
    assert {family: (wrong.count, wrong.of) for family, (wrong, _) in told.by_family.items()} == {
        "count": (2, 3),
        "depth": (0, 1),
    }
    assert (told.people, told.kappa, told.agreement) == (1, None, None)


@pytest.mark.parametrize(
    ("votes", "word"),
    [
        (["right", "right", "wrong"], "right"),
        (["wrong", "wrong", "right"], "wrong"),
        (["right", "wrong"], "ambiguous"),
        (["right", "wrong", "ambiguous"], "ambiguous"),
    ],
)
def test_most_decide_and_where_people_are_divided_the_label_is_ambiguous(votes, word):
    told = annotations.outcome([said("c1-a", vote, who=str(n)) for n, vote in enumerate(votes)], 0.95)
    assert told.wrong.count == (word == "wrong")
    assert told.ambiguous.count == (word == "ambiguous")


def test_of_three_people_kappa_is_the_mean_over_those_who_shared_labels():
    spoken = {"anna": "rrwwa", "ben": "rrwaa", "cleo": "rwwwa"}
    full = {word[0]: word for word in WORDS}
    lines = [
        said(f"c{n}-a", full[letter], who) for who, letters in spoken.items() for n, letter in enumerate(letters)
    ] + [said("far-a", "right", "dora")]
    pairs = [("anna", "ben"), ("anna", "cleo"), ("ben", "cleo")]
    expected = sum(cohen_kappa_score(list(spoken[a]), list(spoken[b])) for a, b in pairs) / 3
    told = annotations.outcome(lines, 0.95)
    assert told.people == 4
    assert told.kappa == pytest.approx(expected)
    assert told.agreement == pytest.approx((4 + 4 + 3) / 15)
