"""The perceptual reward's losses, on made-up features."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import BadInput
from pstgen.models import perceptual_losses
from pstgen.models.perceptual_losses import FACTORS, JOINTS, UNKNOWN, Perception, Truths

WIDTH, CELLS = 16, 16
SIZES = {"category": 7, "colour": 11, "size": 4, "position": 16, "depth": 6, "keypoint": JOINTS}


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def truths(codes, sample, *, images=2, **dense):
    """Regions with these codes, each on a patch of its own; nothing is known of the patches."""
    rows = torch.tensor(codes, dtype=torch.int64).reshape(-1, len(FACTORS))
    told = {
        "cover": torch.eye(CELLS)[: len(rows)],
        "sample": torch.tensor(sample, dtype=torch.int64),
        "codes": rows,
        "shown": torch.full((images, CELLS, 2), UNKNOWN),
        "centre": torch.full((images, CELLS), UNKNOWN),
        "depth": torch.full((images, CELLS), torch.nan),
        "joints": torch.full((images, CELLS, JOINTS), torch.nan),
    }
    return Truths(**told | dense)


def codes(**known):
    return [known.get(factor, UNKNOWN) for factor in FACTORS]


NOTHING = truths([codes(), codes()], [0, 1])


@pytest.fixture
def heads():
    torch.manual_seed(0)
    return Perception(WIDTH, SIZES)


losses = st.lists(st.floats(0, 10, width=32), min_size=1, max_size=30)


@given(st.lists(losses, min_size=1, max_size=5), st.integers(1, 9))
def test_a_sample_of_many_targets_counts_no_more_than_one_of_few(samples, times):
    """Said over, a sample's targets change nothing; the mean is that of the samples' own means."""

    def mean(told):
        each = torch.tensor([loss for some in told for loss in some])
        index = torch.tensor([n for n, some in enumerate(told) for _ in some])
        return perceptual_losses.by_sample(each, index, len(told) + 1).item()  # and one that has no target

    own = sum(sum(some) / len(some) for some in samples) / len(samples)
    assert mean(samples) == pytest.approx(own, rel=1e-4, abs=1e-5)
    assert mean([samples[0] * times, *samples[1:]]) == pytest.approx(mean(samples), rel=1e-4, abs=1e-5)


def test_the_contrast_is_with_every_code_of_the_factor_once(heads):
    """Also with those that no region of the batch has; by hand, with one factor known."""
    features, told = drawn(2, CELLS, WIDTH), truths([codes(colour=3), codes(colour=3), codes()], [0, 1, 1])
    unique = heads.get_buffer("codes_colour")
    assert unique.shape[0] == SIZES["colour"]
    seen = torch.nn.functional.normalize(heads.read["colour"](torch.stack([features[0, 0], features[1, 1]])), dim=-1)
    each = -(seen @ unique.T / 0.1).log_softmax(-1)[:, 3]
    assert heads.contrast(features, told).item() == pytest.approx(each.mean().item(), rel=1e-5)


def test_twice_the_same_region_is_no_negative_of_itself(heads):
    """Perfect features reach nearly no loss, however often a code comes in a batch."""
    told = truths([codes(category=2)] * 6, [0, 0, 0, 1, 1, 1])
    with torch.no_grad():
        heads.read["category"].weight.zero_()
        heads.read["category"].bias.copy_(heads.get_buffer("codes_category")[2])
    assert heads.contrast(drawn(2, CELLS, WIDTH), told) < 0.1


def test_what_nobody_knows_is_left_out(heads):
    features = drawn(2, CELLS, WIDTH)
    known = truths([codes(category=1, size=2), codes(category=4)], [0, 1])
    beside = truths([codes(category=1, size=2), codes(category=4), codes()], [0, 1, 1])
    assert heads.contrast(features, known).item() == pytest.approx(heads.contrast(features, beside).item(), rel=1e-6)
    one, two = (heads.contrast(features, truths([codes(**{name: 1})], [0])) for name in ("category", "depth"))
    both = heads.contrast(features, truths([codes(category=1, depth=1)], [0]))
    assert both.item() == pytest.approx((one + two).item() / 2, rel=1e-5)


@pytest.mark.parametrize("loss", ["contrast", "patches"])
def test_a_batch_without_one_target_costs_nothing_and_spoils_no_gradient(heads, loss):
    features = drawn(2, CELLS, WIDTH).requires_grad_()
    told = getattr(heads, loss)(features, NOTHING)
    told.backward()
    assert told.item() == 0
    assert torch.equal(features.grad, torch.zeros_like(features))
    assert all(p.grad is None or p.grad.isfinite().all() for p in heads.parameters())


def all_known():
    """Every kind of dense target, of two images."""
    return {
        "shown": torch.ones(2, CELLS, 2, dtype=torch.int64),
        "centre": torch.zeros(2, CELLS, dtype=torch.int64),
        "depth": torch.ones(2, CELLS),
        "joints": torch.zeros(2, CELLS, JOINTS),
    }


@pytest.mark.parametrize("missing", ["shown", "centre", "depth", "joints"])
def test_one_kind_of_target_that_is_missing_does_not_spoil_the_others(heads, missing):
    there = all_known()
    there[missing] = getattr(NOTHING, missing)
    features = drawn(2, CELLS, WIDTH).requires_grad_()
    told = heads.patches(features, truths([codes()], [0], **there))
    told.backward()
    assert told.item() > 0
    assert features.grad.isfinite().all()
    assert features.grad.abs().sum() > 0


@pytest.mark.parametrize("missing", ["shown", "centre", "depth", "joints"])
def test_a_kind_of_target_that_nobody_knows_is_no_loss_of_nothing(heads, missing):
    """It does not make the mean of the others smaller: known by itself and left out, the others are all there is."""
    there = all_known()
    features = drawn(2, CELLS, WIDTH)
    cost = {n: heads.patches(features, truths([codes()], [0], **{n: one})).item() for n, one in there.items()}
    cost["shown"] *= 2  # category and colour, of which it is the mean
    rest = sum(value for name, value in cost.items() if name != missing) / (3 if missing == "shown" else 4)
    told = heads.patches(features, truths([codes()], [0], **there | {missing: getattr(NOTHING, missing)}))
    assert told.item() == pytest.approx(rest, rel=1e-5)


def test_words_for_colours_that_nobody_knows_are_left_out():
    projected, embedding = drawn(2, CELLS, 8), drawn(40, 8, seed=1)
    names = tuple(torch.arange(size)[:, None] for size in (SIZES["category"], SIZES["colour"]))
    shown = torch.ones(2, CELLS, 2, dtype=torch.int64)
    shown[..., 1] = UNKNOWN
    told = truths([codes()], [0], shown=shown)
    only = perceptual_losses.align(projected, embedding, names[:1], told)
    assert perceptual_losses.align(projected, embedding, names, told).item() == pytest.approx(only.item(), rel=1e-6)


def test_a_depth_that_is_unknown_in_one_patch_is_learnt_in_the_others(heads):
    depth = torch.ones(2, CELLS)
    depth[0, 3] = torch.nan
    features = drawn(2, CELLS, WIDTH).requires_grad_()
    heads.patches(features, truths([codes()], [0], depth=depth)).backward()
    assert features.grad[0, 3].abs().sum() == 0
    assert (features.grad[0, 4].abs().sum() > 0) & (features.grad[1, 3].abs().sum() > 0)


def test_features_that_separate_codes_cost_less_than_random_ones(heads):
    """One patch of a region holds its code, read by a head that was made to find it."""
    dim = heads.get_buffer("codes_category").shape[1]
    wide = Perception(dim, SIZES)
    with torch.no_grad():
        wide.read["category"].weight.copy_(torch.eye(dim))
        wide.read["category"].bias.zero_()
    told = truths([codes(category=n) for n in range(7)], [0, 0, 0, 0, 1, 1, 1])
    features = drawn(2, CELLS, dim)
    told_apart = features.clone()
    told_apart[told.sample, torch.arange(7)] = wide.get_buffer("codes_category")
    assert wide.contrast(told_apart, told) < 0.1
    assert wide.contrast(features, told) > 1
    assert wide.contrast(told_apart, told._replace(codes=told.codes.roll(1, 0))) > 1


def test_learning_brings_all_losses_down(heads):
    features = drawn(2, CELLS, WIDTH)
    told = truths(
        [codes(category=1, colour=2, size=0, position=3, depth=5), codes(keypoint=4)],
        [0, 1],
        shown=torch.randint(0, 5, (2, CELLS, 2), generator=torch.Generator().manual_seed(1)),
        depth=drawn(2, CELLS, seed=2),
        joints=torch.zeros(2, CELLS, JOINTS),
    )
    optimizer = torch.optim.Adam(heads.parameters(), 0.05)
    before = heads(features, told)
    for _ in range(60):
        optimizer.zero_grad()
        sum(heads(features, told).values()).backward()
        optimizer.step()
    after = heads(features, told)
    assert set(after) == {"contrast", "dense"}
    assert all(after[name] < 0.5 * before[name] for name in after)


def test_a_region_is_the_mean_of_its_patches_by_cover():
    features = drawn(2, CELLS, WIDTH)
    cover = torch.zeros(2, CELLS)
    cover[0, 2], cover[0, 5] = 0.75, 0.25
    pooled = perceptual_losses.pool(features, truths([codes(), codes()], [1, 0], cover=cover))
    assert torch.allclose(pooled[0], 0.75 * features[1, 2] + 0.25 * features[1, 5], atol=1e-6)
    assert torch.equal(pooled[1], torch.zeros(WIDTH))  # it covers nothing, and divides by nothing


@pytest.mark.parametrize("extra", [0, 1, 5])
def test_class_and_register_tokens_are_no_patches(extra):
    patches = drawn(2, 9, WIDTH)
    states = torch.cat([torch.full((2, extra, WIDTH), 99.0), patches], dim=1)
    assert torch.equal(perceptual_losses.tokens(states, 3), patches)


def test_a_feature_map_is_read_row_by_row():
    grid = drawn(2, WIDTH, 3, 3)
    seen = perceptual_losses.tokens(grid, 3)
    assert torch.equal(seen[1, 3 * 2 + 1], grid[1, :, 2, 1])


@pytest.mark.parametrize("shape", [(1, 8, WIDTH), (1, 18, WIDTH), (1, WIDTH, 2, 2), (1, WIDTH, 5, 5)])
def test_a_grid_of_another_size_is_refused(shape):
    with pytest.raises(BadInput, match="3 x 3"):
        perceptual_losses.tokens(torch.zeros(shape), 3)


def test_patches_like_their_words_cost_less_than_patches_like_others():
    embedding = drawn(40, 32)
    names = tuple(torch.arange(2 * size).reshape(size, 2) for size in (SIZES["category"], SIZES["colour"]))
    names[0][3, 1] = UNKNOWN  # a name of one token
    kind, shade = torch.arange(CELLS) % 5, torch.arange(CELLS) % 7  # 0 is backdrop
    told = truths([codes()], [0], images=1, shown=torch.stack([kind, shade], -1)[None])

    def code(ids, n):
        return torch.nn.functional.normalize(embedding[ids[n - 1][ids[n - 1] != UNKNOWN]].sum(0), dim=0) * (n > 0)

    def like(turned):
        return torch.stack(
            [
                code(names[0], k + turned * (k > 0)) + code(names[1], s + turned * (s > 0))
                for k, s in zip(kind, shade, strict=True)
            ]
        )[None]

    assert perceptual_losses.align(like(0), embedding, names, told) < 0.5
    assert perceptual_losses.align(like(1), embedding, names, told) > 2
    assert perceptual_losses.align(drawn(1, CELLS, 32, seed=5), embedding, names, told) > 1


def test_patches_of_which_nobody_knows_the_name_pull_at_no_word():
    projected = drawn(2, CELLS, 8).requires_grad_()
    names = (torch.zeros(7, 1, dtype=torch.int64), torch.zeros(11, 1, dtype=torch.int64))
    loss = perceptual_losses.align(projected, drawn(40, 8), names, NOTHING)
    loss.backward()
    assert loss == 0
    assert not projected.grad.any()


def test_codes_are_the_same_for_everyone():
    """Whoever loads the heads of another process has the same codes; a seed makes others."""
    one, two, other = Perception(WIDTH, SIZES), Perception(WIDTH, SIZES), Perception(WIDTH, SIZES, seed=1)
    assert torch.equal(one.get_buffer("codes_colour"), two.get_buffer("codes_colour"))
    assert not torch.equal(one.get_buffer("codes_colour"), other.get_buffer("codes_colour"))
