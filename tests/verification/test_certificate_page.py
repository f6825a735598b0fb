"""The page says at a glance whether a set is sound, in the certificate's own figures, and loads nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pstgen.core.records import Finding
from pstgen.verification import certificate
from pstgen.verification.certificate import Certificate
from pstgen.verification.certificate_page import page

SHARES = {"/low": -0.02, "/high": 0.01}


def findings(best=0.48, pairs=0.0, trace=0.5):
    attack = {f"ngrams/items{end}": best + more for end, more in {"": 0, **SHARES}.items()} | {"ngrams/pairs": pairs}
    probe = {f"answer/{end}": trace + more for end, more in (("share", 0), ("low", -0.05), ("high", 0.05))}
    won = ("ngrams reaches too much",) if best > 0.5 else ()
    told = ("images tell answers",) if trace > 0.6 else ()
    return [
        Finding(check="pairs", summary="20 pairs", figures={"pairs": 20.0, "items": 40.0}),
        Finding(check="attackers", summary="one", problems=won, figures=attack),
        Finding(check="image_probe", summary="twenty", problems=told, figures=probe),
    ]


def told(some):
    return Certificate(
        pstgen="0", manifest="f" * 64, sound=all(one.sound for one in some), says="Nobody looked & all is <well>.",
        thresholds={"probe_over": 0.02}, tried=certificate.tried(some), proven=certificate.proven(some),
        not_proven=certificate.not_proven(some), findings=some,
    )  # fmt: skip


def test_a_sound_set_says_so_with_its_figures():
    shown = page(told(findings()), {"name": "a small world"})
    assert ">Sound<" in shown
    assert "20 pairs of pictures, 40 questions" in shown
    assert "ngrams: 48.0% [46.0%, 49.0%]" in shown
    assert "a small world" in shown
    assert 'class="dot bad"' not in shown


@pytest.mark.parametrize("spoilt", [{"best": 0.9}, {"trace": 0.9}], ids=["an attacker wins", "a probe wins"])
def test_an_unsound_set_says_so_first_and_marks_the_line(spoilt):
    some = findings(**spoilt)
    shown, (problem,) = page(told(some), {}), [problem for one in some for problem in one.problems]
    assert ">Not sound<" in shown
    assert shown.index(problem) < shown.index("By the words alone")
    assert shown.count('class="dot bad"') == 1


def test_a_check_that_was_not_tested_is_neither_sound_nor_counted():
    untested = Finding(check="edited_probe", summary="4 edited pairs", untested="too few <to> train")
    shown = page(told([*findings(), untested]), {})
    assert ">Sound<" in shown
    assert "<b>3 of 4</b><span>checks ran, none found anything wrong<" in shown
    assert shown.count('class="untested"') == 3  # below the charts, and twice in the table
    assert '<th>edited probe</th><td class="untested">not tested</td>' in shown
    assert 'class="untested">not tested: too few &lt;to&gt; train<' in shown
    assert 'class="untested">edited probe: not tested: too few &lt;to&gt; train<' in shown


def test_of_checks_that_ran_it_is_counted_how_many_found_something():
    assert "<b>3 of 3</b><span>checks ran, 1 found anything wrong<" in page(told(findings(best=0.9)), {})


def test_attackers_that_could_not_be_trained_have_no_chart():
    pairs, attackers, probe = findings()
    shown = page(told([pairs, replace(attackers, untested="too few pairs"), probe]), {})
    assert "ngrams: 48.0%" not in shown
    assert "of the pairs are won" not in shown
    assert "attackers: not tested: too few pairs" in shown


def test_an_audit_has_a_tile_with_its_figures():
    audit = Finding(check="audit", summary="", figures={"audited": 200.0, "wrong/share": 0.015, "people": 2.0})
    assert "labels were audited by people" in page(told(findings()), {})
    assert "<b>1.5%</b><span>of 200 audited labels are wrong<" in page(told([*findings(), audit]), {})


def test_the_page_loads_nothing_and_runs_nothing():
    shown = page(told(findings()), {})
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

    shown = page(told(findings()), {})
    assert "&amp; all is &lt;well&gt;" in shown
    parser = Tags()
    parser.feed(shown)
    assert parser.open == []
