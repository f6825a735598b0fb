"""What shows nothing changes nothing."""

from pstgen.core.progress import silent


def test_silence_passes_every_thing_on_as_it_is_asked_for_and_says_nothing(capfd):
    taken = []
    things = (taken.append(n) or n for n in range(3))
    silent.plan([("scenes", 1.0)])
    silent.reach("scenes", 1, 2)
    silent.note("a line")
    passing = iter(silent(things, "scenes", 3))
    assert taken == []
    assert next(passing) == 0
    assert taken == [0]
    assert list(passing) == [1, 2]
    assert capfd.readouterr() == ("", "")
