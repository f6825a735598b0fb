"""What the build's judges reach is measured again, and a set that does not mislead those that decide is not sound."""

from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from pstgen.core.config import VerifyConfig
from pstgen.dataset import judged, store
from pstgen.dataset.judged import Hits
from pstgen.verification.checks import judges


def examine(folder):
    return judges.examine(store.open(folder), VerifyConfig(folder=folder))


def test_every_judge_of_a_sound_set_has_its_line(built):
    finding = examine(built)
    assert finding.state == "sound"
    assert {"prior", "text"} <= {line.judge for line in finding.judges}
    assert "0 pairs" in finding.summary


@pytest.mark.parametrize(
    ("decides", "stress", "pairs", "says"),
    [
        (True, 2, 0, "decides what is kept and is right about 2 of 5 stress twins"),
        (None, 0, 1, "saw no picture and wins 1 of 5 pairs"),
        (False, 2, 0, ""),
    ],
    ids=["a judge that is not misled", "a pair won by words", "a judge that does not decide"],
)
def test_a_judge_that_should_be_misled_and_is_not_is_a_problem(built, decides, stress, pairs, says):
    line = replace(judged.of_dataset(store.open(built))[0], decides=decides)
    reached = judged.Reached(stress=Hits(right=stress, of=5), pairs=Hits(right=pairs, of=5))
    problems = list(judges._problems(replace(line, all=reached)))
    assert problems == ([f"{line.judge} {says}"] if says else [])


def test_a_set_whose_scores_keep_nothing_has_no_such_check(folder):
    file = folder / "scores.parquet"
    table = pq.read_table(file)
    column = table.schema.get_field_index("kept")
    pq.write_table(table.set_column(column, "kept", [[False] * len(table)]), file)
    assert not judges.applies(store.open(folder))
    assert examine(folder).state == "not tested"
