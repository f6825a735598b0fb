"""certificate.html: the certificate as a page that can be grasped in a minute; no script, nothing loaded from elsewhere."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pstgen.core import pages
from pstgen.core.pages import Bar, Tile
from pstgen.dataset.chance import Coin
from pstgen.dataset.judged import widest_gap
from pstgen.verification.certificate import NAME, Certificate, untested
from pstgen.verification.findings import AttackResult, Finding

ADDITIVE = "additive"  # the check that has words and picture, side by side
ATTACKERS = "attackers/"  # before an attacker's name in a certificate's `tried`


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
        judges=[line for finding in certificate.findings for line in finding.judges],
        coin=_coin(counts),
        frames=list(_frames(counts, attacks)),
        ceiling=pairs / items if items else 0.5,  # the share of items of an attacker that answers one of each pair
        untested_attackers=[finding for finding in untested(certificate.findings) if finding.check == "attackers"],
        probes=list(_probes(finding for finding in certificate.findings if finding.check != ADDITIVE)),
        untested_probes=[finding for finding in untested(certificate.findings) if finding.check.endswith("_probe")],
        additive=list(_probes(finding for finding in certificate.findings if finding.check == ADDITIVE)),
        untested_additive=[finding for finding in untested(certificate.findings) if finding.check == ADDITIVE],
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


def _probes(findings: Iterable[Finding]) -> Iterator[Bar]:
    for finding in findings:
        for probe in finding.probes:
            accuracy = probe.accuracy
            which = f"{probe.family}: " * bool(probe.family)
            name = f"{which}{probe.clue} → {probe.attribute}{', edited' * (probe.twins == 'edited')}"
            yield Bar(name, accuracy.share, accuracy.low, accuracy.high, probe.sound)


def _coin(counts: Mapping[str, float]) -> Coin | None:
    """What chance wins where each picture has its own, of the figures of the check `pairs`."""
    return Coin(options=counts["coin/options"], answers=counts["coin/answers"]) if "coin/options" in counts else None


class Frames(NamedTuple):
    """Pairs in neutral words, or in others: how many, and the most of their items that any attacker reaches, by whom."""

    name: str
    pairs: float
    most: float
    attacker: str


def _frames(counts: Mapping[str, float], attacks: Sequence[AttackResult]) -> Iterator[Frames]:
    """Neutral words first."""
    for name in ("neutral", "framed"):
        reached = [(share.share, attack.attacker) for attack in attacks if (share := getattr(attack, name))]
        if counts.get(f"pairs/{name}") and reached:
            yield Frames(name, counts[f"pairs/{name}"], *max(reached))


def _tiles(findings: Sequence[Finding], attacks: Sequence[AttackResult]) -> Iterator[Tile]:
    if attacks:
        pairs = max(attack.pairs.share for attack in attacks)
        yield Tile(f"{pairs:.1%}", f"of the pairs are won by the best of {len(attacks)} attackers that go by the words")
        strongest = attacks[0]
        yield Tile(f"{strongest.items.share:.1%}", f"of the questions: the most by the words ({strongest.attacker})")
    widest = widest_gap(line for finding in findings for line in finding.judges)
    if widest and (usual := widest.ordinary):
        share = f"{usual.right / usual.of:.0%}"
        yield Tile(share, f"of ordinary questions is {widest.judge} right about without looking")
        yield Tile(str(widest.all.stress), f"of this set's stress twins, and {widest.all.pairs.right:,} pairs")
    audit = next((finding.audit for finding in findings if finding.audit), None)
    if audit:
        yield Tile(f"{audit.labels.wrong.share:.1%}", f"of {audit.labels.wrong.total:,} audited labels are wrong")
    else:
        yield Tile("0", "labels were audited by people; all were recomputed from the annotations")
    ran, wrong = len(findings) - len(untested(findings)), sum(not finding.sound for finding in findings)
    found = f"{wrong} found something wrong" if wrong else "none found anything wrong"
    yield Tile(f"{ran} of {len(findings)}", f"checks ran, {found}")
