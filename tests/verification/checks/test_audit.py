"""What people say of labels is reported with exact bounds; without them, nothing was tested."""

import shutil
from itertools import islice

import msgspec
import pytest
from datasets import load_dataset

from pstgen import build
from pstgen.core.config import VerifyConfig, build_config
from pstgen.dataset import store
from pstgen.verification import annotations
from pstgen.verification.certificate import claim
from pstgen.verification.checks import audit, integrity


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "pst"
    small = {"scenes": 90, "size": 64, "candidates": 20, "wordings": 2, "edited": 3, "lm": "none", "vlm": "none"}
    build.build(build_config(source="world", prior_base="world", out=out, **small))
    return out


@pytest.fixture
def folder(built, tmp_path):
    """A copy to audit."""
    shutil.copytree(built, tmp_path / "pst")
    return tmp_path / "pst"


def annotate(folder, ratings, who="anna", **changes):
    """Rate the first items, one each."""
    dataset = store.open(folder)
    for item, rating in zip(dataset.items(), ratings, strict=False):
        annotation = annotations.Annotation(
            item=item.item_id,
            pair=item.pair_id,
            family=item.family,
            who=who,
            verdict=rating,
            seed=0,
            manifest=dataset.manifest.seal,
        )
        annotations.append(folder / annotations.FILE, msgspec.structs.replace(annotation, **changes))


def examine(folder, **settings):
    return audit.examine(store.open(folder), VerifyConfig(folder=folder, **settings))


def test_without_an_audit_it_is_not_tested(folder):
    finding = examine(folder)
    assert finding.sound
    assert (finding.state, finding.untested) == ("not tested", "no person has audited the labels")
    assert finding.audit is None
    assert "not audited" in claim([finding])


def test_an_audit_gives_rates_with_exact_bounds(folder):
    annotate(folder, ["wrong", "ambiguous", *["right"] * 8])
    finding = examine(folder)
    assert finding.state == "sound"
    assert (
        "10 labels audited by one person: 10.0% [0.3%, 44.5%] wrong, 10.0% [0.3%, 44.5%] ambiguous" in finding.summary
    )
    result = finding.audit
    pairs = {item.pair_id for item in islice(store.open(folder).items(), 10)}
    assert (result.people, result.labels.wrong.total, result.pairs_wrong.total) == (1, 10, len(pairs))
    assert (result.labels.wrong.share, result.labels.ambiguous.share) == (0.1, 0.1)
    assert result.labels.wrong.high == pytest.approx(0.4450, abs=1e-4)
    assert result.kappa is None
    assert "10 were audited by one person: 10.0% of those are wrong" in claim([finding])
    assert "not audited" not in claim([finding])


def test_errors_are_bounded_by_pair_as_well(folder):
    pairs = [item.pair_id for item in islice(store.open(folder).items(), 10)]
    third = next(n for n, pair in enumerate(pairs) if pair not in pairs[:2])  # of another pair than the first two items
    verdicts = ["wrong", "ambiguous", *["right"] * 8]
    verdicts[third] = "ambiguous"
    annotate(folder, verdicts)
    finding, n = examine(folder), len(set(pairs))
    assert f"of {n} pairs: with a wrong label {1 / n:.1%} [" in finding.summary
    assert f"with an ambiguous one {2 / n:.1%} [" in finding.summary
    assert (finding.figures["pairs_wrong"], finding.figures["pairs_ambiguous"]) == (1 / n, 2 / n)
    assert finding.figures["pairs_doubtful"] == 2 / n
    assert finding.figures["pairs_wrong_high"] == pytest.approx(finding.audit.pairs_wrong.high)


def test_every_family_that_was_looked_at_has_its_own_rates(folder):
    items = list(store.open(folder).items())
    annotate(folder, ["right"] * len(items))
    by_family = examine(folder).audit.by_family
    assert set(by_family) == {item.family for item in items}
    for family, rates in by_family.items():
        assert rates.wrong.total == sum(item.family == family for item in items)
        assert rates.wrong.share == 0
        assert 0 < rates.wrong.high < 1


def test_two_people_have_a_kappa(folder):
    annotate(folder, ["right", "wrong", "right", "wrong"])
    annotate(folder, ["right", "wrong", "right", "right"], who="ben")
    finding = examine(folder)
    assert "4 labels audited by 2 people (kappa 0.50)" in finding.summary
    assert (finding.audit.kappa, finding.audit.agreement) == (0.5, 0.75)


def test_what_was_taken_back_does_not_count(folder):
    annotate(folder, ["wrong"])
    annotate(folder, ["undo"])
    assert examine(folder).state == "not tested"


def test_verdicts_on_another_build_do_not_count_and_are_named(folder):
    annotate(folder, ["wrong", "wrong"], manifest="another")
    finding = examine(folder)
    assert (finding.state, finding.untested) == ("not sound", audit.UNTESTED)
    assert ["line 1" in finding.problems[0], "line 2" in finding.problems[1]] == [True, True]
    assert all("another manifest" in problem for problem in finding.problems)


@pytest.mark.parametrize("change", [{"item": "count-0-a"}, {"pair": "count-0"}, {"family": "smell"}])
def test_verdicts_on_what_the_set_does_not_have_are_named(folder, change):
    annotate(folder, ["wrong"], **change)
    finding = examine(folder)
    assert (finding.state, finding.untested) == ("not sound", audit.UNTESTED)
    assert "line 1: the set has no item" in finding.problems[0]


def test_a_line_that_is_not_a_verdict_is_named(folder):
    (folder / annotations.FILE).write_text("all fine\n")
    assert "audit.jsonl: line 1 is not a verdict" in examine(folder).problems[0]


def test_more_wrong_labels_than_are_allowed_are_a_problem(folder):
    annotate(folder, ["wrong", *["right"] * 9])
    assert examine(folder, most_wrong=0.5).sound
    assert "up to 44.5% of the labels may be wrong" in examine(folder, most_wrong=0.4).problems[0]


def test_a_threshold_needs_an_audit(folder):
    finding = examine(folder, most_wrong=0.5)
    assert "not audited" in finding.problems[0]
    assert finding.state == "not sound"


def test_an_audit_leaves_the_set_whole(folder, tmp_path):
    annotate(folder, ["right"] * 4)
    assert integrity.examine(store.open(folder), VerifyConfig(folder=folder)).sound
    read = load_dataset(str(folder), split="test", cache_dir=str(tmp_path / "cache"))
    assert len(read) == store.open(folder).manifest.items
