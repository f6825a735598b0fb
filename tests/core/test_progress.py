"""Progress that is not shown changes nothing."""

from pstgen.core.progress import silent


def test_silence_passes_items_on_as_they_are_requested_and_prints_nothing(capfd):
    taken = []
    items = (taken.append(n) or n for n in range(3))
    silent.plan([("scenes", 1.0)])
    silent.reach("scenes", 1, 2)
    silent.note("a line")
    passing = iter(silent(items, "scenes", 3))
    assert taken == []
    assert next(passing) == 0
    assert taken == [0]
    assert list(passing) == [1, 2]
    assert capfd.readouterr() == ("", "")
