"""What chance wins of pairs, worked out by hand."""

import pytest

from pstgen.dataset import store
from pstgen.dataset.chance import coin, coin_of


def pair(options, *answers):
    return [(options, answer) for answer in answers]


@pytest.mark.parametrize(
    ("pairs", "answers", "options"),
    [
        ([pair(2, "yes", "no")], 1 / 4, 1 / 4),
        ([pair(4, "red", "blue")], 1 / 4, 1 / 16),
        ([pair(4, *"abcd")], 1 / 256, 1 / 256),
        ([pair(2, "yes", "no"), pair(4, *"abcd")], (1 / 4 + 1 / 256) / 2, (1 / 4 + 1 / 256) / 2),
    ],
    ids=["yes or no", "two of four options", "a group of four", "a pair and a group"],
)
def test_a_coin_is_thrown_for_each_picture(pairs, answers, options):
    thrown = coin(pairs)
    assert (thrown.answers, thrown.options) == (pytest.approx(answers), pytest.approx(options))


def test_without_a_pair_there_is_nothing_to_win():
    with pytest.raises(ValueError, match="no pair"):
        coin([])


def test_of_a_set_it_is_its_own_mix(sound_set):
    pairs = list(store.open(sound_set).pairs())
    expected = sum((1 / len(pair.items)) ** len(pair.items) for pair in pairs) / len(pairs)
    assert coin_of(pairs).answers == pytest.approx(expected)
    assert coin_of(pairs).options <= coin_of(pairs).answers
