"""What every metric promises."""

import pytest

from pstgen.core import plugins


@pytest.mark.parametrize("name", plugins.names("metrics"))
def test_a_metric_is_one_file_with_its_sentence_and_measures(name):
    metric = plugins.load("metrics", name)
    assert metric.__doc__
    assert callable(metric.measure)
