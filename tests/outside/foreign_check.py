"""Is the number of items even?"""

from pstgen.verification.findings import Finding

PROVES = "The items can be counted in twos."


def examine(dataset, config, /):
    odd = sum(1 for _ in dataset.items()) % 2
    return Finding(check="foreign_check", summary="counted", problems=("odd",) * odd)
