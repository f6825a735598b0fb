"""certificate.html: the certificate as a page that can be grasped in a minute; no script, nothing loaded from elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pstgen.core import pages
from pstgen.core.pages import Tile
from pstgen.verification.certificate import NAME, Certificate, untested
from pstgen.verification.findings import AttackResult, Finding

ATTACKERS = "attackers/"  # before an attacker's name in a certificate's `tried`


class Bar(NamedTuple):
    """A line of a chart: a share with its bounds, each 0 to 1, whether it is as it should be, and a note."""

    name: str
    share: float
    low: float
    high: float
    good: bool
    note: str = ""


def page(certificate: Certificate, origin: Mapping[str, str]) -> str:
    """The page of a certificate, of a dataset whose scenes come from `origin` (as its manifest has it)."""
    counts = next((finding.figures for finding in certificate.findings if finding.check == "pairs"), {})
    pairs, items = counts.get("pairs", 0), counts.get("items", 0)
    attacks = _attacks(certificate.findings)
    return pages.render(
        "verification/certificate.html.jinja",
        certificate=certificate,
        certificate_file=NAME,
        source=origin.get("name", ""),
        pairs=pairs,
        items=items,
        tiles=list(_tiles(certificate.findings, attacks)),
        attackers=[_attacker(attack, certificate.thresholds.get("most_over", 0.0)) for attack in attacks],
        ceiling=pairs / items if items else 0.5,  # the share of items of an attacker that answers one of each pair
        untested_attackers=[finding for finding in untested(certificate.findings) if finding.check == "attackers"],
        probes=list(_probes(certificate.findings)),
        untested_probes=[finding for finding in untested(certificate.findings) if finding.check.endswith("_probe")],
        attacker_descriptions={
            name.removeprefix(ATTACKERS): text.rstrip(".")
            for name, text in certificate.tried.items()
            if name.startswith(ATTACKERS)
        },
    )


def _attacks(findings: Sequence[Finding]) -> list[AttackResult]:
    """The strongest attacker first."""
    attacks = [attack for finding in findings if finding.state != "not tested" for attack in finding.attacks]
    return sorted(attacks, key=lambda attack: (-attack.items.share, attack.attacker))


def _attacker(attack: AttackResult, most_over: float) -> Bar:
    items = attack.items
    good = not any(attack.problems(most_over))
    return Bar(attack.attacker, items.share, items.low, items.high, good, f"{attack.pairs.share:.1%}")


def _probes(findings: Sequence[Finding]) -> Iterator[Bar]:
    for finding in findings:
        for probe in finding.probes:
            accuracy = probe.accuracy
            name = f"{probe.clue} → {probe.attribute}"
            yield Bar(name, accuracy.share, accuracy.low, accuracy.high, probe.sound)


def _tiles(findings: Sequence[Finding], attacks: Sequence[AttackResult]) -> Iterator[Tile]:
    if attacks:
        pairs = max(attack.pairs.share for attack in attacks)
        yield Tile(f"{pairs:.1%}", f"of the pairs are won by the best of {len(attacks)} attackers that go by the words")
        strongest = attacks[0]
        yield Tile(f"{strongest.items.share:.1%}", f"of the questions: the most by the words ({strongest.attacker})")
    audit = next((finding.audit for finding in findings if finding.audit), None)
    if audit:
        yield Tile(f"{audit.labels.wrong.share:.1%}", f"of {audit.labels.wrong.total:,} audited labels are wrong")
    else:
        yield Tile("0", "labels were audited by people; all were recomputed from the annotations")
    ran, wrong = len(findings) - len(untested(findings)), sum(not finding.sound for finding in findings)
    found = f"{wrong} found something wrong" if wrong else "none found anything wrong"
    yield Tile(f"{ran} of {len(findings)}", f"checks ran, {found}")
