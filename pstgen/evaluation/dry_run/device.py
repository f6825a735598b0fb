"""How long a device takes for a build's questions: by its peak and a share of it, or by a rate that was measured."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from pstgen.core.bounds import Bounded, Positive
from pstgen.core.records import BadInput
from pstgen.evaluation.dry_run.number import NOTHING, Number

UTILIZATION = 0.3  # of a device's peak, assumed where it is not given


class Device(Bounded, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What the judges' models would run on.

    peak_tflops: of one device, in the type of the weights, as its maker says, 10^12 operations a second. utilization: the share
    of it that is reached. rate: questions a second of one device, measured, instead of both. price_hour: of one device.
    """

    peak_tflops: Positive | None = None
    utilization: Annotated[float, Meta(gt=0, le=1)] | None = None
    rate: Positive | None = None
    price_hour: Positive | None = None

    def __post_init__(self) -> None:
        """Raise BadInput where settings do not go together."""
        super().__post_init__()
        if self.rate and (self.peak_tflops or self.utilization):
            raise BadInput("--rate is of the questions themselves; with it leave --peak-tflops and --utilization out")
        if self.utilization and not self.peak_tflops:
            raise BadInput("--utilization is a share of --peak-tflops, which is missing")


def seconds_of(device: Device, questions: Number, flops: Sequence[Number | None]) -> tuple[Number | None, str]:
    """Seconds of one device for all questions, and where that is from; None where it is not known.

    flops: of each model, floating-point operations for all that it is asked, None where they are not known.

    >>> seconds_of(Device(rate=2.0), Number(10, 100), [None])
    (Number(expected=5.0, most=50.0), 'given: 2 questions a second')
    """
    if device.rate:
        return 1 / device.rate * questions, f"given: {device.rate:g} questions a second"
    if not device.peak_tflops:
        return None, "not known: --peak-tflops, or --rate"
    known = [number for number in flops if number]
    if len(known) < len(flops):
        return None, "not known, since FLOPs are not: --rate"
    reached, share = device.utilization or UTILIZATION, "given" if device.utilization else "assumed"
    a_second = 1e12 * device.peak_tflops * reached
    return 1 / a_second * sum(known, NOTHING), f"{share}: {reached:.0%} of {device.peak_tflops:g} TFLOPS"
