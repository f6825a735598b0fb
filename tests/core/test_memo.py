"""Arrays are kept by their bytes, not by their number."""

import numpy as np

from pstgen.core.memo import Kept


def test_the_latest_arrays_stay_as_far_as_their_bytes_allow():
    kept, made = Kept(100), []

    def array(name, size):
        return kept.get(name, lambda: made.append(name) or np.zeros(size, np.uint8))

    for name in "abc":
        array(name, 40)
    assert list(kept.arrays) == ["b", "c"]
    array("b", 40)
    array("d", 40)
    assert list(kept.arrays) == ["b", "d"]
    assert made == ["a", "b", "c", "d"]
    assert kept.bytes == 80


def test_the_last_one_stays_however_large_it_is():
    kept = Kept(100)
    for name in "ab":
        assert len(kept.get(name, lambda: np.zeros(1000, np.uint8))) == 1000
    assert list(kept.arrays) == ["b"]
    kept.clear()
    assert (kept.bytes, len(kept.arrays)) == (0, 0)
