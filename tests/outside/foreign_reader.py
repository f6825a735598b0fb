"""question|answer, yes or no, a line each."""

from pstgen.verification.samples import Sample


def read(path, names, /):
    lines = [line.split("|") for line in path.read_text().splitlines()]
    return [
        Sample(f"{n:03}", f"{n:03}", f"{n:03}", question, ("yes", "no"), ("yes", "no").index(answer))
        for n, (question, answer) in enumerate(lines)
    ]
