"""The page says at a glance whether a set is sound, in the certificate's own figures, and loads nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pstgen.core.statistics import Share
from pstgen.dataset.judged import Hits, Judged, Ordinary, Reached
from pstgen.verification import certificate
from pstgen.verification.certificate import Certificate
from pstgen.verification.certificate_page import page
from pstgen.verification.findings import AttackResult, AuditResult, Finding, LabelRates, ProbeResult, Proportion


def share(value):
    return Share(value, value - 0.02, value + 0.01, value, value, 0.5)


def findings(best=0.48, pairs=0.0, trace=0.5):
    attacked = AttackResult(
        attacker="ngrams",
        pairs=share(pairs),
        items=share(best),
        stress=None,
        control=None,
        ceiling=0.5,
        train_share=0.8,
    )
    trace = Proportion(share=trace, low=trace - 0.05, high=trace + 0.05, total=20)
    probe = ProbeResult(clue="picture", attribute="answer", accuracy=trace, sound=trace.share <= 0.6)
    won = ("ngrams reaches too much",) if best > 0.5 else ()
    leaked = () if probe.sound else ("images tell answers",)
    return [
        Finding(check="pairs", summary="20 pairs", figures={"pairs": 20.0, "items": 40.0}),
        Finding(check="attackers", summary="one", problems=won, attacks=(attacked,)),
        Finding(check="image_probe", summary="twenty", problems=leaked, probes=(probe,)),
    ]


def judges():
    reached = Reached(stress=Hits(right=3, of=100), pairs=Hits(right=0, of=100))
    ordinary = Ordinary(right=38, of=50, low=0.619, high=0.869, by_chance=25.0)
    line = Judged(
        judge="lm", sees=False, decides=False, ordinary=ordinary, neutral=reached, framed=reached, all=reached
    )
    return Finding(check="judges", summary="", judges=(line, replace(line, judge="vlm", sees=True, ordinary=None)))


def certify(results):
    return Certificate(
        format=certificate.FORMAT, pstgen="0", manifest="f" * 64, sound=all(finding.sound for finding in results),
        says="Nobody looked & all is <well>.", thresholds={"probe_over": 0.02}, tried=certificate.tried(results),
        anew=["pairs"], tested=[], not_tested=[], on_trust=["What one expects."],
        proven=certificate.proven(results), not_proven=certificate.not_proven(results), findings=results,
    )  # fmt: skip


def test_a_sound_set_says_so_with_its_figures():
    shown = page(certify(findings()), {"name": "a small world"})
    assert ">Sound<" in shown
    assert "20 pairs of pictures, 40 questions" in shown
    assert "ngrams: 48.0% [46.0%, 49.0%]" in shown
    assert "a small world" in shown
    assert 'class="dot bad"' not in shown


@pytest.mark.parametrize("spoilt", [{"best": 0.9}, {"trace": 0.9}], ids=["an attacker wins", "a probe wins"])
def test_an_unsound_set_says_so_first_and_marks_the_line(spoilt):
    results = findings(**spoilt)
    shown, (problem,) = page(certify(results), {}), [problem for finding in results for problem in finding.problems]
    assert ">Not sound<" in shown
    assert shown.index(problem) < shown.index("By the words alone")
    assert shown.count('class="dot bad"') == 1


def test_a_check_that_was_not_tested_is_neither_sound_nor_counted():
    untested = Finding(check="edited_probe", summary="4 edited pairs", untested="too few <to> train")
    shown = page(certify([*findings(), untested]), {})
    assert ">Sound<" in shown
    assert "<b>3 of 4</b><span>checks ran, none found anything wrong<" in shown
    assert shown.count('class="untested"') == 3  # below the charts, and twice in the table
    assert '<th>edited probe</th><td class="untested">not tested</td>' in shown
    assert 'class="untested">not tested: too few &lt;to&gt; train<' in shown
    assert 'class="untested">edited probe: not tested: too few &lt;to&gt; train<' in shown


def test_the_checks_that_found_something_are_counted():
    assert "<b>3 of 3</b><span>checks ran, 1 found something wrong<" in page(certify(findings(best=0.9)), {})


def test_attackers_that_could_not_be_trained_have_no_chart():
    pairs, attackers, probe = findings()
    shown = page(certify([pairs, replace(attackers, untested="too few pairs"), probe]), {})
    assert "ngrams: 48.0%" not in shown
    assert "of the pairs are won" not in shown
    assert "attackers: not tested: too few pairs" in shown


def test_judges_have_a_table_neutral_words_first_and_without_judges_there_is_none():
    shown = page(certify([*findings(), judges()]), {})
    assert "lm, not deciding</th><td>76.0% [61.9%, 86.9%]</td><td>50.0%</td><td>3.0%</td><td>0.0%</td>" in shown
    assert "vlm, seeing</th><td>-</td><td>-</td>" in shown
    assert shown.index("neutral: stress twins") < shown.index("framed: stress twins")
    assert "<b>76%</b><span>of ordinary questions is lm right about without looking<" in shown
    assert "<b>3.0%</b><span>of this set&#39;s stress twins" in shown
    assert "stress twins" not in page(certify(findings()), {})


def test_a_coin_and_both_kinds_of_words_stand_below_the_attackers():
    pairs, attackers, _ = findings()
    counts = {"pairs/neutral": 8.0, "pairs/framed": 12.0, "coin/answers": 0.25, "coin/options": 0.0625}
    attack = replace(attackers.attacks[0], neutral=share(0.4), framed=share(0.5))
    counted = replace(pairs, figures={**pairs.figures, **counts})
    shown = page(certify([counted, replace(attackers, attacks=(attack,))]), {})
    assert "a coin between the twins&#39; answers wins 25.0% of the pairs, a draw from all options 6.2%" in shown
    first, second = "8 pairs in neutral words: the most", "12 pairs in words that mislead: the most"
    assert shown.index(first) < shown.index(second)
    assert "a coin between" not in page(certify(findings()), {})


def test_words_and_picture_side_by_side_have_a_chart_of_their_own():
    share_ = Proportion(share=0.67, low=0.6, high=0.72, total=220)
    probe = ProbeResult(clue="words + picture", attribute="role", accuracy=share_, sound=False, family="pointing")
    leaky = Finding(check="additive", summary="", problems=("pointing: too much",), probes=(probe,))
    shown = page(certify([*findings(), leaky]), {})
    at = shown.index("pointing: words + picture → role: 67.0% [60.0%, 72.0%]")
    assert shown.index("By words and picture, never related to each other") < at < shown.index("<h2>Labels</h2>")
    few = Finding(check="additive", summary="", untested="too few pairs")
    assert 'class="untested">additive: not tested: too few pairs<' in page(certify([*findings(), few]), {})


def test_an_audit_has_a_tile_with_its_figures():
    wrong = Proportion(share=0.015, low=0.0, high=0.04, total=200)
    rates = LabelRates(wrong=wrong, ambiguous=wrong)
    result = AuditResult(people=2, labels=rates, pairs_wrong=wrong, by_family={}, agreement=None, kappa=None)
    audit = Finding(check="audit", summary="", audit=result)
    assert "labels were audited by people" in page(certify(findings()), {})
    assert "<b>1.5%</b><span>of 200 audited labels are wrong<" in page(certify([*findings(), audit]), {})


def test_the_page_loads_nothing_and_runs_nothing():
    shown = page(certify(findings()), {})
    assert "<script" not in shown
    assert not re.search(r"(src|href|url\()\s*=?\s*[\"']?http", shown)


def test_words_are_escaped_and_tags_closed():
    class Tags(HTMLParser):
        open: list = []  # noqa: RUF012 (of one parser)

        def handle_starttag(self, tag, attrs):  # noqa: ARG002
            if tag not in {"meta", "br"}:
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    shown = page(certify(findings()), {})
    assert "&amp; all is &lt;well&gt;" in shown
    parser = Tags()
    parser.feed(shown)
    assert parser.open == []
