"""How many letters an answer has."""

from statistics import fmean

from pstgen.evaluation.metrics import Headline, Scores

HEADLINES = (Headline(name="letters", label="letters an answer", unit="", place=99),)


def measure(evaluation, /):
    return Scores(figures={"letters": fmean(map(len, evaluation.answers.pst.values()))})
