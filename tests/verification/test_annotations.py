"""What people say is never lost, and what it comes to is exact."""

import multiprocessing
import os

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from pstgen.core.records import BadInput, Unavailable
from pstgen.verification import agreement, annotations
from pstgen.verification.findings import Proportion

SEAL = "5e41"
RATINGS = ["right", "wrong", "ambiguous"]


def verdict(item, rating, who="anna", family="count"):
    pair = item.rpartition("-")[0]
    return annotations.Annotation(item=item, pair=pair, family=family, who=who, verdict=rating, seed=0, manifest=SEAL)


def verdicts(*more):
    """Any verdicts of two people on a few twins."""
    items = st.sampled_from([f"{pair}-{twin}" for pair in ("c1", "c2", "ü3") for twin in "ab"])
    return st.lists(st.builds(verdict, items, st.sampled_from([*RATINGS, *more]), st.sampled_from(["anna", "bø\n"])))


def coded(lines):
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


@given(lines=verdicts("undo"), data=st.data())
def test_whatever_a_crash_leaves_reads_as_a_beginning_of_what_was_written(tmp_path_factory, lines, data):
    path = tmp_path_factory.mktemp("audit") / annotations.FILE
    whole = coded(lines)
    kept = whole[: data.draw(st.integers(0, len(whole)))]
    path.write_bytes(kept)
    assert annotations.read(path) == lines[: kept.count(b"\n")]
    annotations.append(path, verdict("c9-a", "wrong"))
    assert annotations.read(path) == [*lines[: kept.count(b"\n")], verdict("c9-a", "wrong")]


def test_a_line_is_added_and_none_is_changed(tmp_path):
    path = tmp_path / annotations.FILE
    annotations.append(path, verdict("c1-a", "right"))
    before = path.read_bytes()
    annotations.append(path, verdict("c1-a", "undo"))
    assert path.read_bytes().startswith(before)
    assert path.read_bytes().count(b"\n") == 2


def test_no_file_is_no_verdict(tmp_path):
    assert annotations.read(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    "line", [b"{}", b"right", b'{"item": 3}', b"\xff", coded([verdict("c1-a", "right")])[:-3] + b"?}"]
)
def test_a_line_that_is_not_a_verdict_is_named_by_its_number(tmp_path, line):
    path = tmp_path / annotations.FILE
    path.write_bytes(coded([verdict("c1-a", "right")]) + line + b"\n")
    with pytest.raises(BadInput, match=r"audit\.jsonl: line 2"):
        annotations.read(path)


def test_a_file_that_cannot_be_written_is_an_error_that_says_so(tmp_path):
    (tmp_path / annotations.FILE).mkdir()
    with pytest.raises(Unavailable, match="cannot be written"):
        annotations.append(tmp_path / annotations.FILE, verdict("c1-a", "right"))


def test_a_link_is_not_written_through(tmp_path):
    (tmp_path / "mine").write_bytes(b"half a line")
    (tmp_path / annotations.FILE).symlink_to(tmp_path / "mine")
    with pytest.raises(Unavailable, match="is a link"):
        annotations.append(tmp_path / annotations.FILE, verdict("c1-a", "right"))
    assert (tmp_path / "mine").read_bytes() == b"half a line"


def add(path, who, count):
    """Give verdicts one by one, as a process of its own."""
    for n in range(count):
        annotations.append(path, verdict(f"c{n}-a", "right", who=who))


@pytest.mark.skipif(os.name != "posix", reason="locks")
def test_of_two_auditors_at_once_every_verdict_stays(tmp_path):
    path, context = tmp_path / annotations.FILE, multiprocessing.get_context("fork")
    processes = [context.Process(target=add, args=(path, who, 300)) for who in ("anna", "bo")]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    kept = annotations.read(path)
    assert len(kept) == 600
    assert {(line.who, line.item) for line in kept} == {(who, f"c{n}-a") for who in ("anna", "bo") for n in range(300)}


@given(verdicts("undo"))
def test_one_verdict_a_person_and_item_stands_in_the_order_of_the_file(lines):
    held = annotations.standing(lines)
    assert len({(line.who, line.item) for line in held}) == len(held)
    assert all(line.verdict in RATINGS for line in held)
    rest = iter(lines)
    assert all(line in rest for line in held)


@given(verdicts("undo"), verdicts())
def test_taking_everything_back_gives_what_stood_before(before, after):
    held = annotations.standing(before)
    back = [msgspec.structs.replace(line, verdict="undo") for line in reversed(after)]
    assert annotations.standing([*before, *after, *back]) == held


def test_an_undo_brings_the_verdict_before_back():
    lines = [verdict("c1-a", "right"), verdict("c1-b", "right"), verdict("c1-a", "wrong"), verdict("c1-a", "undo")]
    assert annotations.standing(lines) == [verdict("c1-a", "right"), verdict("c1-b", "right")]


def cohen_kappa(first, second):
    """By its definition (Cohen 1960)."""
    agreed = sum(a == b for a, b in zip(first, second, strict=True)) / len(first)
    by_chance = sum(first.count(rating) * second.count(rating) for rating in RATINGS) / len(first) ** 2
    return (agreed - by_chance) / (1 - by_chance)


@settings(deadline=None)  # the first call imports scikit-learn
@given(st.lists(st.tuples(st.sampled_from(RATINGS), st.sampled_from(RATINGS)), min_size=1))
def test_kappa_is_cohens_and_undefined_where_there_is_one_rating(both):
    first, second = zip(*both, strict=True)
    kappa = agreement.kappa(first, second)
    if len(set(first + second)) == 1:
        assert kappa is None  # 0 / 0
    else:
        assert kappa == pytest.approx(cohen_kappa(first, second))


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_bounds_are_clopper_pearson(counted):
    hits, n = counted
    rate = Proportion.from_hits([True] * hits + [False] * (n - hits), 0.95)
    assert (rate.share, rate.total) == (hits / n, n)
    assert rate.low == pytest.approx(beta.ppf(0.025, hits, n - hits + 1) if hits else 0)
    assert rate.high == pytest.approx(beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1)


def test_nothing_that_stands_is_no_audit():
    assert agreement.summarize([], 0.95) is None
    assert agreement.summarize([verdict("c1-a", "right"), verdict("c1-a", "undo")], 0.95) is None


def test_an_audit_counts_labels_pairs_and_families():
    lines = [
        verdict("c1-a", "wrong"),
        verdict("c1-b", "wrong"),
        verdict("c2-a", "right"),
        verdict("d1-a", "ambiguous", family="depth"),
    ]
    result = agreement.summarize(lines, 0.95)
    assert (result.labels.wrong.share, result.labels.wrong.total, result.labels.ambiguous.share) == (0.5, 4, 0.25)
    assert (result.pairs_wrong.share, result.pairs_wrong.total) == (1 / 3, 3)
    assert {family: (rates.wrong.share, rates.wrong.total) for family, rates in result.by_family.items()} == {
        "count": (2 / 3, 3),
        "depth": (0, 1),
    }
    assert (result.people, result.kappa, result.agreement) == (1, None, None)


@pytest.mark.parametrize(
    ("votes", "rating"),
    [
        (["right", "right", "wrong"], "right"),
        (["wrong", "wrong", "right"], "wrong"),
        (["right", "wrong"], "ambiguous"),
        (["right", "wrong", "ambiguous"], "ambiguous"),
    ],
)
def test_the_majority_decides_and_where_people_are_divided_the_label_is_ambiguous(votes, rating):
    result = agreement.summarize([verdict("c1-a", vote, who=str(n)) for n, vote in enumerate(votes)], 0.95)
    assert result.labels.wrong.share == (rating == "wrong")
    assert result.labels.ambiguous.share == (rating == "ambiguous")


def test_of_three_people_kappa_is_the_mean_over_those_who_shared_labels():
    ratings = {"anna": "rrwwa", "ben": "rrwaa", "cleo": "rwwwa"}
    full = {rating[0]: rating for rating in RATINGS}
    lines = [
        verdict(f"c{n}-a", full[letter], who) for who, letters in ratings.items() for n, letter in enumerate(letters)
    ] + [verdict("far-a", "right", "dora")]
    pairs = [("anna", "ben"), ("anna", "cleo"), ("ben", "cleo")]
    expected = sum(cohen_kappa([full[x] for x in ratings[a]], [full[x] for x in ratings[b]]) for a, b in pairs) / 3
    result = agreement.summarize(lines, 0.95)
    assert result.people == 4
    assert result.kappa == pytest.approx(expected)
    assert result.agreement == pytest.approx((4 + 4 + 3) / 15)


def test_a_pair_is_wrong_or_ambiguous_if_the_label_of_any_twin_is():
    ratings = {"p1-a": "right", "p1-b": "right", "p2-a": "wrong", "p2-b": "right", "p3-a": "wrong", "p3-b": "ambiguous"}
    rates = annotations.rate_pairs([verdict(item, rating) for item, rating in ratings.items()], 0.95)
    assert (rates.wrong.total, rates.wrong.share) == (3, pytest.approx(2 / 3))
    assert rates.ambiguous.share == pytest.approx(1 / 3)
    assert rates.doubtful.share == pytest.approx(2 / 3)
    assert (rates.wrong.low, rates.wrong.high) == pytest.approx((beta.ppf(0.025, 2, 2), beta.ppf(0.975, 3, 1)))


def test_the_majority_decides_of_a_pair_too_and_a_tie_is_ambiguous():
    lines = [verdict("p1-a", "right", who) for who in "abc"] + [verdict("p2-a", "wrong", who) for who in "ab"]
    lines += [verdict("p1-a", "wrong", "d"), verdict("p2-a", "right", "c"), verdict("p2-a", "right", "d")]
    rates = annotations.rate_pairs(lines, 0.95)
    assert (rates.wrong.share, rates.ambiguous.share, rates.doubtful.share) == (0, 0.5, 0.5)
    assert annotations.rate_pairs([], 0.95) is None
