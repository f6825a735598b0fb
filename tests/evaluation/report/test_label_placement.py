"""Names in a plot keep their distance."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.evaluation.report import label_placement


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.01, 0.2))
def test_places_keep_their_order_and_distance_and_their_middle(wanted, gap):
    placed = label_placement.spread(sorted(wanted), gap)
    assert all(after - before >= gap - 1e-9 for before, after in pairwise(placed))
    assert sum(placed) == pytest.approx(sum(wanted))


@given(st.lists(st.integers(0, 10), min_size=1, max_size=10, unique=True))
def test_places_that_are_far_enough_apart_stay(wanted):
    places = [float(place) for place in sorted(wanted)]
    assert label_placement.spread(places, 1.0) == pytest.approx(places)


def test_no_label_of_a_point_covers_another_where_there_is_room():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    figure = Figure(figsize=(5, 4), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    points = {f"system {n}": (0.5 + 0.01 * n, 0.5) for n in range(8)}
    axes.plot([0, 1], [0, 1], alpha=0)
    label_placement.label_points(axes, points, {name: name for name in points}, dict.fromkeys(points, "black"))
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert len(boxes) == len(points)
    assert not any(box.overlaps(other) for n, box in enumerate(boxes) for other in boxes[:n])
