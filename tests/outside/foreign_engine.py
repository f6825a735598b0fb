"""Every item by itself, from the last to the first, and the verdicts in the right order."""


def run(judge, items, config, /):
    answers = list(judge.answer(list(reversed(items))))
    return iter(answers[::-1])
