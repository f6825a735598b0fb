"""The text baseline learns from what it may, and from nothing else."""

from pstgen.models.judges import text


def test_beside_many_lessons_a_few_rows_teach_nothing():
    lessons = [("a red cup", "red"), ("a blue cup", "blue")] * 20

    def answered(answer):
        return text.cross_fit(["a red cup", "a red dog"], [answer] * 2, [("blue", "red")] * 2, ["p", "q"], folds=2, seed=0, extra=lessons)  # fmt: skip

    assert answered("red") == answered("blue")
    (blue, red), _ = answered("blue")
    assert red > blue
