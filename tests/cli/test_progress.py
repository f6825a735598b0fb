"""Promises of the line that says how far a run is."""

import re
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstgen.cli import progress


class Clock:
    """Says the time that it was told."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state(clock):
    return progress.State(clock)


@pytest.fixture(scope="module")
def no_trust():
    """The time left by the speed so far alone."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(progress, "TRUST", 0.0)
        yield


def test_at_the_beginning_the_plan_counts_more_than_the_speed(state, clock, monkeypatch):
    monkeypatch.setattr(progress, "TRUST", 0.2)
    state.plan([("one", 1.0), ("other", 100.0)])
    step = state.begin("one", 2)
    clock.now += 50  # a hundred times as long as planned
    step.done = 1
    assert 50 < state.left() < 1000


@pytest.mark.usefixtures("no_trust")
def test_the_share_is_of_the_whole_plan_and_the_time_left_of_this_step_and_of_later_ones(state, clock):
    state.plan([("scenes", 10.0), ("wordings", 30.0)])
    assert state.share() == 0
    assert state.left() is None
    step = state.begin("scenes", 8)
    clock.now += 5
    assert state.left() is None
    step.done = 2
    assert state.share() == 0.25 * 10 / 40
    assert state.left() == 15 + 2 * 30  # twice as long as usual
    clock.now += 15
    step.done = 8
    state.end(step)
    assert state.share() == 10 / 40
    step = state.begin("wordings", 100)
    clock.now += 3
    step.done = 10
    assert state.share() == (10 + 3) / 40
    assert state.left() == 27


@pytest.mark.usefixtures("no_trust")
@given(
    st.lists(st.tuples(st.floats(0.5, 100), st.integers(1, 50)), min_size=1, max_size=6),
    st.floats(0.1, 10),
    st.data(),
)
def test_where_steps_take_as_long_as_planned_share_and_time_left_are_exact(planned, speed, data):
    clock = Clock()
    state = progress.State(clock)
    state.plan([(f"step {n}", seconds) for n, (seconds, _) in enumerate(planned)])
    whole = sum(seconds for seconds, _ in planned)
    gone = 0.0
    for n, (seconds, total) in enumerate(planned):
        step = state.begin(f"step {n}", total)
        for done in sorted(data.draw(st.sets(st.integers(1, total), max_size=3))):
            clock.now = 1000 + speed * (gone + seconds * done / total)
            step.done = done
            assert state.share() == pytest.approx((gone + seconds * done / total) / whole)
            assert state.left() == pytest.approx(speed * (whole - gone - seconds * done / total), abs=1e-6)
        gone += seconds
        clock.now = 1000 + speed * gone
        state.end(step)
        assert state.share() == pytest.approx(gone / whole)


@settings(max_examples=50)
@given(st.data())
def test_the_share_never_falls_though_steps_work_at_once_end_late_have_no_total_or_were_not_planned(data):
    clock = Clock()
    state = progress.State(clock)
    names = [f"step {n}" for n in range(5)]
    state.plan([(name, data.draw(st.sampled_from([0, 0.5, 1, 9]))) for name in names])
    before, order = 0.0, sorted(data.draw(st.sets(st.sampled_from(names))))
    order.insert(data.draw(st.integers(0, len(order))), "unplanned")
    for name in order:
        total = data.draw(st.integers(0, 5))
        step = state.begin(name, total)
        for done in range(data.draw(st.integers(0, total)) + 1):
            clock.now += data.draw(st.sampled_from([0, 0.1, 5]))
            step.done = done
            share, left = state.share(), state.left()
            assert left is None or left >= 0
            assert state.line().startswith(name)
            if sum(known.seconds for known in state.steps.values()):
                assert before <= share + 1e-9 <= 1 + 1e-6
                before = share
        if data.draw(st.booleans()):
            state.end(step)


def test_steps_with_nothing_to_do_are_done_when_a_later_one_ends(state):
    state.plan([("prior", 10.0), ("items", 10.0), ("models", 10.0), ("writing", 10.0)])
    step = state.begin("models", 5)
    assert state.share() == 0
    state.end(step)
    assert state.share() == 3 / 4
    assert "step 3 of 4" in state.line()


def test_a_plan_inside_a_plan_is_ignored(state):
    state.plan([("train", 100.0)])
    state.begin("train", 4).done = 1
    state.plan([("scenes", 1.0), ("wordings", 1.0)])
    assert list(state.steps) == ["train"]
    assert state.share() == 0.25


def test_a_step_that_nobody_planned_changes_neither_the_share_nor_the_number_of_steps(state):
    state.plan([("scenes", 10.0), ("wordings", 10.0), ("nothing", 0.0)])
    state.end(state.begin("scenes", 1))
    step = state.begin("surprise", 10)
    step.done = 5
    assert state.share() == 0.5
    assert "step" not in state.line()
    state.end(step)
    assert state.share() == 0.5
    state.begin("wordings", 1)
    assert "step 2 of 2" in state.line()


def test_without_a_plan_the_share_is_that_of_the_step(state, clock):
    assert state.share() is None
    step = state.begin("loading", 0)
    assert state.share() is None
    step = state.begin("loading", 4)
    step.done = 1
    clock.now += 2
    assert (state.share(), state.left()) == (0.25, 6)


@pytest.mark.usefixtures("no_trust")
def test_the_line_says_what_how_far_how_long_and_how_much_longer(state, clock):
    state.plan([("scenes", 10.0), ("wordings", 30.0)])
    step = state.begin("scenes", 2000)
    clock.now += 70
    step.done = 1000
    assert state.line() == "scenes 1,000 of 2,000 (step 1 of 2, 1:10, about 8:10 left)"
    clock.now += 3600
    step.total, step.done = 0, 0
    assert state.line() == "scenes (step 1 of 2, 1:01:10)"


def test_of_several_steps_at_work_the_line_tells_how_many(state, clock):
    state.plan([("one", 10.0), ("other", 10.0)])
    state.begin("one", 10).done = 5
    clock.now += 10
    state.begin("other", 10).done = 1
    clock.now += 10
    assert state.line().startswith("other 1 of 10 and 1 more at work (step 2 of 2, 0:20, about 1:30 left")
    assert state.share() == pytest.approx((5 + 1) / 20)


def lines(capsys):
    return capsys.readouterr().err.splitlines()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(progress, "BEAT", 0.05)
    for name in ("FORCE_COLOR", "TTY_INTERACTIVE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("quick")
def test_where_there_is_no_terminal_a_line_comes_every_beat_even_where_nothing_passes(capsys):
    def stuck():
        time.sleep(0.4)
        yield 1

    with progress.shown() as display:
        display.plan([("waiting", 1.0), ("more", 1.0)])
        assert list(display(stuck(), "waiting", 7)) == [1]
    told = capsys.readouterr()
    assert len(told.err.splitlines()) >= 3
    assert all(re.fullmatch(r"waiting 0 of 7 \(step 1 of 2, 0:0\d\)", line) for line in told.err.splitlines())
    assert told.out == ""


@pytest.mark.usefixtures("quick")
def test_a_long_line_with_brackets_comes_whole_and_as_one(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    name = "annotations [red] of a [very] long name, " * 3
    with progress.shown(verbose=True) as display:
        display.note(name)
        for _ in display([1], name, 1):
            time.sleep(0.2)
    told = lines(capsys)
    assert told[0] == f"note: {name}"
    assert told[1].startswith(f"{name} 0 of 1 (")
    assert told[-1] == f"{name}: 1 in 0:00"


@pytest.mark.usefixtures("quick")
def test_after_an_error_no_line_comes_and_no_thread_is_left(capsys):
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), progress.shown() as display:
        list(display((1 / n for n in (1, 0)), "dividing", 2))
    lines(capsys)
    time.sleep(0.15)
    assert lines(capsys) == []
    assert threading.active_count() <= before  # those of other tests may end meanwhile


@pytest.mark.usefixtures("quick")
def test_quiet_prints_nothing_not_even_notes(capfd):
    with progress.shown(quiet=True) as display:
        display.plan([("waiting", 1.0)])
        display.note("a line")
        for _ in display([1], "waiting", 1):
            time.sleep(0.2)
    assert capfd.readouterr() == ("", "")


def test_a_step_that_is_reported_from_outside_ends_once_when_all_is_done(capsys):
    with progress.shown(verbose=True) as display:
        display.plan([("a", 1.0), ("b", 1.0)])
        display.reach("a", 1, 4)
        assert display.state.share() == 1 / 8
        for _ in range(3):
            display.reach("a", 4, 4)
            assert display.state.share() == 1 / 2
        display.reach("b", 0, 0)
        assert display.state.share() == 1
    assert lines(capsys) == ["a: 4 in 0:00", "b: 0 in 0:00"]


def test_on_a_terminal_there_is_one_bar_and_nothing_of_it_stays(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(progress, "REFRESH", 0.02)
    with progress.shown() as display:
        display.plan([("scenes", 1.0), ("wordings", 1.0)])
        for step in ("scenes", "wordings"):
            for _ in display(range(2), step, 2):
                time.sleep(0.15)
    told = capsys.readouterr().err
    assert re.search(r"scenes 1 of 2 \(step 1 of 2, 0:0\d", told)
    assert re.search(r"wordings 1 of 2 \(step 2 of 2, 0:0\d", told)
    assert told.endswith(("\x1b[1A\x1b[2K", "\x1b[2K\r", "\x1b[?25h", "\x1b[1A\x1b[2K\r"))
    assert "\n\n" not in told
