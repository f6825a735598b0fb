"""The judges of one run: who decides, what blind models are worth, and what all of them answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pstgen.core.config import BuildConfig
from pstgen.core.progress import Progress
from pstgen.core.records import Item, Verdict
from pstgen.core.report import Report
from pstgen.models import calibration, engines
from pstgen.models.calibration import Calibration
from pstgen.models.judges import Judge
from pstgen.models.looking import Look
from pstgen.models.recorded import Recorded

MOST_INVALID = 0.05  # of a model's answers, before the user is warned
COMPARED = 200  # items on which the ways of asking are compared
ORDINARY = "ordinary questions"


@dataclass
class Panel:
    """Judges that have learnt what they may know.

    recorded: what models said in other runs, and say in this one, or None. calibrations: of blind models, by the judge's name.
    """

    judges: Sequence[Judge]
    config: BuildConfig
    report: Report
    progress: Progress
    recorded: Recorded | None = None
    calibrations: dict[str, Calibration] = field(default_factory=dict)

    @property
    def deciding(self) -> list[Judge]:
        """Blind judges; a model only where it is competent."""
        return [judge for judge in self.judges if self._decides(judge)]

    @property
    def others(self) -> list[Judge]:
        """Those that see, and blind models that do not decide."""
        return [judge for judge in self.judges if not self._decides(judge)]

    def _decides(self, judge: Judge) -> bool:
        known = self.calibrations.get(judge.name)
        return not judge.sees and (known is None or known.competent)

    def answer(self, judge: Judge, items: Sequence[Item]) -> Iterator[Verdict]:
        """One verdict an item, in their order, calibrated where the judge is."""
        noted = self.recorded if judge.durable else None
        verdicts = noted.answer(judge, items, self._ask) if noted else self._ask(judge, items)
        known = self.calibrations.get(judge.name)
        if known is None:
            return verdicts
        return (replace(v, calibrated=known.apply(item, v)) for item, v in zip(items, verdicts, strict=True))

    def _ask(self, judge: Judge, items: Sequence[Item]) -> Iterator[Verdict]:
        return engines.load(self.config.judges.engine).run(judge, items, self.config)

    def calibrate(self, questions: Sequence[Item], apart: Mapping[str, Judge]) -> None:
        """Let blind judges answer ordinary questions; who is no better than chance does not decide.

        What a judge says of all of them alike is its habit, and is taken away from all that it says. questions: known facts of
        scenes that give no items. apart: by name, judges that learn, each as it is without having learnt these questions.
        """
        for judge in self.judges:
            details = self.report.models.setdefault(judge.name, {})
            details |= getattr(judge, "details", dict[str, Any])()
            if judge.sees:
                continue
            answers = self.progress(self.answer(apart.get(judge.name, judge), questions), ORDINARY, len(questions))
            fitted = self.calibrations[judge.name] = calibration.fit(questions, list(answers))
            details[ORDINARY] = fitted.summary()
            details["decides"] = fitted.competent
            if not fitted.competent:
                tried = (
                    f"of {fitted.of:,} ordinary questions it gets {fitted.right:,} right from the words alone, calibrated; "
                    f"chance gets {fitted.chance:.0f}"
                )
                line = tried if fitted.of else "these scenes have no ordinary questions to try it with"
                self._note(f"{judge.name} is recorded and does not decide: {line}")

    def _note(self, line: str) -> None:
        self.report.notes.append(line)
        self.progress.note(line)

    def compare_ways(self, items: Sequence[Item]) -> None:
        """How far a seeing model's answers agree with those it gives when it is asked in the other ways, on a few items."""
        some = items[:: max(1, -(-len(items) // COMPARED))]
        looks: list[Any] = [judge for judge in self.judges if judge.sees and isinstance(judge, Look)]
        for look in looks:
            by_way = {other.way: [v.choice for v in self.answer(other, some)] for other in look.in_every_way()}
            own = by_way.pop(look.way)
            invalid = sum(choice is None for choice in own)
            if invalid > MOST_INVALID * len(some):
                self._note(
                    f"{look.name}: {invalid:,} of {len(some):,} answers name no option, or several: another --ask may serve better"
                )
            self.report.models[look.name]["agreement"] = {
                "items": len(some),
                "invalid": invalid,
                **{way: sum(a == b for a, b in zip(own, choices, strict=True)) for way, choices in by_way.items()},
            }
