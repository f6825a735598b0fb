"""Answers with the standard system's weights, and takes the first option."""

from pstgen.training.systems import Plan

PLAN = Plan(weights_of="standard")


def answer(answerer, queries, /):
    return [(*query.options, "yes")[0] for query in queries]
