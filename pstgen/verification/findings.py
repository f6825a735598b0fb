"""What a check finds: whether the dataset is sound, and the measurements behind that as records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pstgen.core.statistics import Share, clopper_pearson
from pstgen.dataset.judged import Judged

State = Literal["sound", "not sound", "not tested"]
Attribute = Literal["role", "answer"]  # of a twin, which a probe tries to tell
Twins = Literal["", "edited", "matched"]  # of pairs: made from one scene, or found as two of the source; "" both


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A share of `total` draws, 0 to 1, with bounds: exact ones (Clopper-Pearson) where they are independent draws."""

    share: float
    low: float
    high: float
    total: int

    @classmethod
    def from_hits(cls, hits: Sequence[bool] | NDArray[np.bool_], confidence: float) -> "Proportion":
        """Count the hits among at least one draw.

        >>> print(Proportion.from_hits([True, False, False, False], 0.95))
        25.0% [0.6%, 80.6%]
        """
        counts = np.asarray(hits, np.int64)
        low, high = clopper_pearson(counts, len(counts), confidence)
        return cls(share=float(counts.mean()), low=low, high=high, total=len(counts))

    def __str__(self) -> str:
        """Share and bounds in per cent."""
        return f"{self.share:.1%} [{self.low:.1%}, {self.high:.1%}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackResult:
    """What one attacker reaches.

    pairs: of which every twin is answered correctly. items: all of them; stress, control: those of that role, None where
    no item has it. ceiling: the share of items that answering one twin of every pair gives. train_share: how much of the
    set the model that answers an item is trained on, on average. neutral, framed: the items in neutral words, and those in
    words that mislead, None where the frame is unknown. coin: the share of pairs that a coin wins which is thrown for each
    picture, between the answers that the twins have; `pairs.chance` is that of drawing from all options.
    """

    attacker: str
    pairs: Share
    items: Share
    stress: Share | None
    control: Share | None
    ceiling: float
    train_share: float
    neutral: Share | None = None
    framed: Share | None = None
    coin: float | None = None

    def problems(self, most_over: float) -> Iterator[str]:
        """What is wrong with a set on which words alone reach this; `most_over`: what the bound may pass the ceiling by."""
        if self.items.high > self.ceiling + most_over:
            yield (
                f"{self.attacker} reaches {self.items.share:.1%} of the items, at most {self.items.high:.1%}; "
                f"words alone should reach {self.ceiling:.1%}"
            )
        if self.pairs.share > 0:
            yield f"{self.attacker} wins {self.pairs.share:.2%} of the pairs, so something tells twins apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """How often a probe that does not know the question tells the twins of a pair apart; half the time is chance.

    clue: what the probe goes by, in a few words. attribute: what it tells of a twin. accuracy: the share of pairs.
    sound: whether that is what chance gives, within the tolerance of the configuration, or whether there are too few pairs
    to say. twins, family: the pairs that it was asked about, "" for all.
    """

    clue: str
    attribute: Attribute
    accuracy: Proportion
    sound: bool
    twins: Twins = ""
    family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRates:
    """How many of the labels that people looked at are wrong, and how many ambiguous."""

    wrong: Proportion
    ambiguous: Proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """What an audit comes to.

    labels: of all families. pairs_wrong: the share of pairs with a wrong label; twins are drawn together, so only pairs are
    independent draws. agreement, kappa: means over every two people; None where no two judged the same label, or, of
    kappa, where all gave one rating and chance would make them agree too.
    """

    people: int
    labels: LabelRates
    pairs_wrong: Proportion
    by_family: Mapping[str, LabelRates]
    agreement: float | None
    kappa: float | None

    @property
    def auditors(self) -> str:
        """How many people took part, in words."""
        return "one person" if self.people == 1 else f"{self.people} people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found in a dataset.

    problems: one line each, with the file and the record; none means sound. figures: single numbers by name. attacks,
    probes, audit, judges: what was measured, of the checks that attack, probe, sum up an audit or the build's judges.
    untested: why the check could not run on this dataset, "" where it ran.
    """

    check: str
    summary: str
    problems: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    attacks: tuple[AttackResult, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    audit: AuditResult | None = None
    judges: tuple[Judged, ...] = ()
    untested: str = ""

    @property
    def sound(self) -> bool:
        """Was nothing found wrong? True of a check that could not run as well: see `state`."""
        return not self.problems

    @property
    def state(self) -> State:
        """Whether it ran, and if so whether it found nothing wrong.

        >>> Finding(check="image_probe", summary="", untested="too few pairs").state
        'not tested'
        """
        if self.problems:
            return "not sound"
        return "not tested" if self.untested else "sound"


def untested(check: str, reason: str) -> Finding:
    """The finding of a check that cannot run on this dataset, and why.

    >>> untested("image_probe", "3 edited pairs, too few to probe").state
    'not tested'
    """
    return Finding(check=check, summary=reason, untested=reason)
