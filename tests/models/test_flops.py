"""FLOPs by hand."""

import pytest
import torch
from torch.nn import functional

from pstgen.models.flops import count_flops


def test_a_linear_layer_is_counted_exactly():
    layer, batch = torch.nn.Linear(24, 40), torch.randn(8, 24, requires_grad=True)
    forward = 2 * 8 * 24 * 40
    assert count_flops(lambda: layer(batch)) == forward
    assert (
        count_flops(lambda: layer(batch).sum().backward()) == 3 * forward
    )  # with respect to the input and to the weights


@pytest.mark.parametrize("keys", [4, 2])
def test_attention_kernels_of_cpus_are_not_counted_as_zero(keys):
    query = torch.randn(2, 4, 64, 16, requires_grad=True)
    key, value = (torch.randn(2, keys, 64, 16, requires_grad=True) for _ in range(2))

    def attend():
        return functional.scaled_dot_product_attention(query, key, value, enable_gqa=keys < 4)

    forward = 2 * 4 * 4 * 64 * 64 * 16  # two products a head, two operations each
    assert count_flops(attend) == forward
    # backward, the scores are computed again, then four products
    assert count_flops(lambda: attend().sum().backward()) == 3.5 * forward


def test_sdpa_and_eager_models_cost_the_same(llava):
    def step():
        llava.model(input_ids=torch.arange(10, 40)[None]).logits.sum().backward()

    counted = []
    for kernel in ("eager", "sdpa"):
        llava.model.set_attn_implementation(kernel)
        counted.append(count_flops(step))
    llava.model.zero_grad(set_to_none=True)
    assert counted[1] == pytest.approx(counted[0], rel=0.05)
