"""Floating-point operations of a model, counted while it runs."""

from collections.abc import Callable

Shape = tuple[int, ...]


def count_flops(step: Callable[[], object]) -> float:
    """Floating-point operations of one call, forward and backward; a multiplication with its addition counts two.

    The counter does not know the attention kernels of CPUs and would count them as zero, so it gets formulas for them.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

    def forward(query: Shape, key: Shape, value: Shape, *_: object, **__: object) -> int:
        return int(sdpa_flop_count(query, _all_heads(key, query), _all_heads(value, query)))

    def backward(gradient: Shape, query: Shape, key: Shape, value: Shape, *_: object, **__: object) -> int:
        return int(sdpa_backward_flop_count(gradient, query, _all_heads(key, query), _all_heads(value, query)))

    kernels = torch.ops.aten
    formulas = {
        kernels._scaled_dot_product_flash_attention_for_cpu: forward,  # noqa: SLF001 (the counter sees them by these names)
        kernels._scaled_dot_product_flash_attention_for_cpu_backward: backward,  # noqa: SLF001
    }
    with FlopCounterMode(display=False, custom_mapping=formulas) as counter:
        step()
    return float(counter.get_total_flops())


def _all_heads(key: Shape, query: Shape) -> Shape:
    """(batch, heads, length, width), with as many heads as the queries have: groups of those share keys."""
    return key[0], query[1], *key[2:]
