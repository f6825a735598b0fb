"""The perceptual reward's losses, on made-up features."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import BadInput
from pstgen.models import perceptual_losses
from pstgen.models.perceptual_losses import FACTORS, JOINTS, UNKNOWN, GridTargets, PerceptionHeads

WIDTH, CELLS = 16, 16
SIZES = {"category": 7, "colour": 11, "size": 4, "position": 16, "depth": 6, "keypoint": JOINTS}


def random_features(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def grid_targets(codes, sample, *, images=2, **dense):
    """Regions with these codes, each on a cell of its own; nothing is known of the cells."""
    rows = torch.tensor(codes, dtype=torch.int64).reshape(-1, len(FACTORS))
    fields = {
        "coverage": torch.eye(CELLS)[: len(rows)],
        "sample": torch.tensor(sample, dtype=torch.int64),
        "codes": rows,
        "labels": torch.full((images, CELLS, 2), UNKNOWN),
        "centres": torch.full((images, CELLS), UNKNOWN),
        "depth": torch.full((images, CELLS), torch.nan),
        "joints": torch.full((images, CELLS, JOINTS), torch.nan),
    }
    return GridTargets(**fields | dense)


def codes(**known):
    return [known.get(factor, UNKNOWN) for factor in FACTORS]


NOTHING = grid_targets([codes(), codes()], [0, 1])


@pytest.fixture
def heads():
    torch.manual_seed(0)
    return PerceptionHeads(WIDTH, SIZES)


losses = st.lists(st.floats(0, 10, width=32), min_size=1, max_size=30)


@given(st.lists(losses, min_size=1, max_size=5), st.integers(1, 9))
def test_a_sample_of_many_targets_counts_no_more_than_one_of_few(samples, times):
    """A sample's targets, repeated, change nothing; the mean is that of the samples' own means."""

    def mean(samples):
        losses = torch.tensor([loss for sample in samples for loss in sample])
        index = torch.tensor([n for n, sample in enumerate(samples) for _ in sample])
        return perceptual_losses.mean_by_sample(losses, index, len(samples) + 1).item()  # and one that has no target

    own = sum(sum(sample) / len(sample) for sample in samples) / len(samples)
    assert mean(samples) == pytest.approx(own, rel=1e-4, abs=1e-5)
    assert mean([samples[0] * times, *samples[1:]]) == pytest.approx(mean(samples), rel=1e-4, abs=1e-5)


def test_the_contrast_is_with_every_code_of_the_factor_once(heads):
    """Also with those that no region of the batch has; by hand, with one factor known."""
    features, targets = (
        random_features(2, CELLS, WIDTH),
        grid_targets([codes(colour=3), codes(colour=3), codes()], [0, 1, 1]),
    )
    unique = heads.get_buffer("codes_colour")
    assert unique.shape[0] == SIZES["colour"]
    regions = torch.stack([features[0, 0], features[1, 1]])
    projected = torch.nn.functional.normalize(heads.read["colour"](regions), dim=-1)
    losses = -(projected @ unique.T / 0.1).log_softmax(-1)[:, 3]
    assert heads.contrast(features, targets).item() == pytest.approx(losses.mean().item(), rel=1e-5)


def test_the_same_region_twice_is_not_its_own_negative(heads):
    """Perfect features reach nearly no loss, however often a code comes in a batch."""
    targets = grid_targets([codes(category=2)] * 6, [0, 0, 0, 1, 1, 1])
    with torch.no_grad():
        heads.read["category"].weight.zero_()
        heads.read["category"].bias.copy_(heads.get_buffer("codes_category")[2])
    assert heads.contrast(random_features(2, CELLS, WIDTH), targets) < 0.1


def test_what_is_unknown_is_left_out(heads):
    features = random_features(2, CELLS, WIDTH)
    known = grid_targets([codes(category=1, size=2), codes(category=4)], [0, 1])
    beside = grid_targets([codes(category=1, size=2), codes(category=4), codes()], [0, 1, 1])
    assert heads.contrast(features, known).item() == pytest.approx(heads.contrast(features, beside).item(), rel=1e-6)
    one, two = (heads.contrast(features, grid_targets([codes(**{name: 1})], [0])) for name in ("category", "depth"))
    both = heads.contrast(features, grid_targets([codes(category=1, depth=1)], [0]))
    assert both.item() == pytest.approx((one + two).item() / 2, rel=1e-5)


@pytest.mark.parametrize("part", ["contrast", "dense"])
def test_a_batch_without_one_target_costs_nothing_and_spoils_no_gradient(heads, part):
    features = random_features(2, CELLS, WIDTH).requires_grad_()
    loss = heads(features, NOTHING)[part]
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(features.grad, torch.zeros_like(features))
    assert all(p.grad is None or p.grad.isfinite().all() for p in heads.parameters())


def all_known():
    """Every kind of dense target, of two images."""
    return {
        "labels": torch.ones(2, CELLS, 2, dtype=torch.int64),
        "centres": torch.zeros(2, CELLS, dtype=torch.int64),
        "depth": torch.ones(2, CELLS),
        "joints": torch.zeros(2, CELLS, JOINTS),
    }


@pytest.mark.parametrize("missing", ["labels", "centres", "depth", "joints"])
def test_one_kind_of_target_that_is_missing_does_not_spoil_the_others(heads, missing):
    there = all_known()
    there[missing] = getattr(NOTHING, missing)
    features = random_features(2, CELLS, WIDTH).requires_grad_()
    loss = heads.dense.loss(features, grid_targets([codes()], [0], **there))
    loss.backward()
    assert loss.item() > 0
    assert features.grad.isfinite().all()
    assert features.grad.abs().sum() > 0


@pytest.mark.parametrize("missing", ["labels", "centres", "depth", "joints"])
def test_an_unknown_kind_of_target_is_not_a_loss_of_zero(heads, missing):
    """It does not make the mean of the others smaller: known by itself and left out, the others are all there is."""
    there = all_known()
    features = random_features(2, CELLS, WIDTH)
    cost = {
        n: heads.dense.loss(features, grid_targets([codes()], [0], **{n: values})).item() for n, values in there.items()
    }
    cost["labels"] *= 2  # category and colour, of which it is the mean
    rest = sum(value for name, value in cost.items() if name != missing) / (3 if missing == "labels" else 4)
    loss = heads.dense.loss(features, grid_targets([codes()], [0], **there | {missing: getattr(NOTHING, missing)}))
    assert loss.item() == pytest.approx(rest, rel=1e-5)


def test_names_of_unknown_colours_are_left_out():
    projected, embedding = random_features(2, CELLS, 8), random_features(40, 8, seed=1)
    names = tuple(torch.arange(size)[:, None] for size in (SIZES["category"], SIZES["colour"]))
    shown = torch.ones(2, CELLS, 2, dtype=torch.int64)
    shown[..., 1] = UNKNOWN
    targets = grid_targets([codes()], [0], labels=shown)
    only = perceptual_losses.name_alignment(projected, embedding, names[:1], targets)
    assert perceptual_losses.name_alignment(projected, embedding, names, targets).item() == pytest.approx(
        only.item(), rel=1e-6
    )


def test_a_colour_that_has_no_name_is_left_out():
    projected, embedding, names = random_features(2, CELLS, 8), random_features(40, 8), [torch.arange(11)[:, None]] * 2
    labels = torch.ones(2, CELLS, 2, dtype=torch.int64)
    losses = []
    for code in (UNKNOWN, 12):  # the eleven names are those of 1 to 11
        labels[0, :3, 1] = code
        targets = grid_targets([codes()], [0], labels=labels)
        losses.append(perceptual_losses.name_alignment(projected, embedding, names, targets).item())
    assert losses[0] == losses[1]


def test_a_depth_that_is_unknown_in_one_patch_is_learnt_in_the_others(heads):
    depth = torch.ones(2, CELLS)
    depth[0, 3] = torch.nan
    features = random_features(2, CELLS, WIDTH).requires_grad_()
    heads.dense.loss(features, grid_targets([codes()], [0], depth=depth)).backward()
    assert features.grad[0, 3].abs().sum() == 0
    assert (features.grad[0, 4].abs().sum() > 0) & (features.grad[1, 3].abs().sum() > 0)


def test_features_that_separate_codes_cost_less_than_random_ones(heads):
    """One patch of a region holds its code, read by a head that was made to find it."""
    dim = heads.get_buffer("codes_category").shape[1]
    wide = PerceptionHeads(dim, SIZES)
    with torch.no_grad():
        wide.read["category"].weight.copy_(torch.eye(dim))
        wide.read["category"].bias.zero_()
    targets = grid_targets([codes(category=n) for n in range(7)], [0, 0, 0, 0, 1, 1, 1])
    features = random_features(2, CELLS, dim)
    separate = features.clone()
    separate[targets.sample, torch.arange(7)] = wide.get_buffer("codes_category")
    assert wide.contrast(separate, targets) < 0.1
    assert wide.contrast(features, targets) > 1
    assert wide.contrast(separate, targets._replace(codes=targets.codes.roll(1, 0))) > 1


def test_learning_brings_all_losses_down(heads):
    features = random_features(2, CELLS, WIDTH)
    targets = grid_targets(
        [codes(category=1, colour=2, size=0, position=3, depth=5), codes(keypoint=4)],
        [0, 1],
        labels=torch.randint(0, 5, (2, CELLS, 2), generator=torch.Generator().manual_seed(1)),
        depth=random_features(2, CELLS, seed=2),
        joints=torch.zeros(2, CELLS, JOINTS),
    )
    optimizer = torch.optim.Adam(heads.parameters(), 0.05)
    before = heads(features, targets)
    for _ in range(60):
        optimizer.zero_grad()
        sum(heads(features, targets).values()).backward()
        optimizer.step()
    after = heads(features, targets)
    assert set(after) == {"contrast", "dense"}
    assert all(after[name] < 0.5 * before[name] for name in after)


def test_a_region_is_the_mean_of_its_patches_by_cover():
    features = random_features(2, CELLS, WIDTH)
    cover = torch.zeros(2, CELLS)
    cover[0, 2], cover[0, 5] = 0.75, 0.25
    pooled = perceptual_losses.pool_regions(features, grid_targets([codes(), codes()], [1, 0], coverage=cover))
    assert torch.allclose(pooled[0], 0.75 * features[1, 2] + 0.25 * features[1, 5], atol=1e-6)
    assert torch.equal(pooled[1], torch.zeros(WIDTH))  # it covers nothing, and divides by nothing


@pytest.mark.parametrize("extra", [0, 1, 5])
def test_class_and_register_tokens_are_no_patches(extra):
    patches = random_features(2, 9, WIDTH)
    states = torch.cat([torch.full((2, extra, WIDTH), 99.0), patches], dim=1)
    assert torch.equal(perceptual_losses.patch_features(states, 3), patches)


def test_a_feature_map_is_read_row_by_row():
    grid = random_features(2, WIDTH, 3, 3)
    seen = perceptual_losses.patch_features(grid, 3)
    assert torch.equal(seen[1, 3 * 2 + 1], grid[1, :, 2, 1])


@pytest.mark.parametrize("shape", [(1, 8, WIDTH), (1, 18, WIDTH), (1, WIDTH, 2, 2), (1, WIDTH, 5, 5)])
def test_a_grid_of_another_size_is_refused(shape):
    with pytest.raises(BadInput, match="3 x 3"):
        perceptual_losses.patch_features(torch.zeros(shape), 3)


def test_patches_like_their_names_cost_less_than_patches_like_others():
    embedding = random_features(40, 32)
    names = tuple(torch.arange(2 * size).reshape(size, 2) for size in (SIZES["category"], SIZES["colour"]))
    names[0][3, 1] = UNKNOWN  # a name of one token
    kind, shade = torch.arange(CELLS) % 5, torch.arange(CELLS) % 7  # 0 is backdrop
    targets = grid_targets([codes()], [0], images=1, labels=torch.stack([kind, shade], -1)[None])

    def code(ids, n):
        return torch.nn.functional.normalize(embedding[ids[n - 1][ids[n - 1] != UNKNOWN]].sum(0), dim=0) * (n > 0)

    def like(offset):
        return torch.stack(
            [
                code(names[0], k + offset * (k > 0)) + code(names[1], s + offset * (s > 0))
                for k, s in zip(kind, shade, strict=True)
            ]
        )[None]

    assert perceptual_losses.name_alignment(like(0), embedding, names, targets) < 0.5
    assert perceptual_losses.name_alignment(like(1), embedding, names, targets) > 2
    assert perceptual_losses.name_alignment(random_features(1, CELLS, 32, seed=5), embedding, names, targets) > 1


def test_patches_whose_name_is_unknown_pull_at_no_name():
    projected = random_features(2, CELLS, 8).requires_grad_()
    names = (torch.zeros(7, 1, dtype=torch.int64), torch.zeros(11, 1, dtype=torch.int64))
    loss = perceptual_losses.name_alignment(projected, random_features(40, 8), names, NOTHING)
    loss.backward()
    assert loss == 0
    assert not projected.grad.any()


def test_a_patch_is_read_and_named_cell_by_cell():
    """A head of four cells a patch is a head of one cell a patch on each quarter; the finer grid goes row by row."""
    torch.manual_seed(0)
    fine, coarse = perceptual_losses.DenseHead(WIDTH, SIZES, 2), perceptual_losses.DenseHead(WIDTH, SIZES)
    features = random_features(2, CELLS, WIDTH)
    size = coarse.out_features
    for quarter, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        with torch.no_grad():
            coarse.weight.copy_(fine.weight[quarter * size : (quarter + 1) * size])
            coarse.bias.copy_(fine.bias[quarter * size : (quarter + 1) * size])
        for ours, its in zip(fine(features), coarse(features), strict=True):
            grid = ours.unflatten(1, (8, 8))[:, row::2, column::2].flatten(1, 2)
            assert torch.allclose(grid, its, atol=1e-5)
    embedding, names = random_features(40, WIDTH, seed=1), (torch.arange(7)[:, None], torch.arange(11)[:, None])
    labels = torch.randint(0, 7, (2, CELLS, 2), generator=torch.Generator().manual_seed(2))
    once = perceptual_losses.name_alignment(features, embedding, names, grid_targets([codes()], [0], labels=labels))
    spread = perceptual_losses.on_cells(labels[:, :, None].expand(-1, -1, 4, -1))
    four = perceptual_losses.name_alignment(features, embedding, names, grid_targets([codes()], [0], labels=spread))
    assert once.item() == pytest.approx(four.item(), rel=1e-5)


@given(st.lists(st.lists(st.integers(-1, SIZES["category"] - 1), max_size=5), min_size=1, max_size=3))
def test_numbers_are_those_of_the_regions_of_each_category(images):
    """Regions without one, such as joints, do not count."""
    rows = [codes(**{} if kind == UNKNOWN else {"category": kind}) for kinds in images for kind in kinds]
    sample = [n for n, kinds in enumerate(images) for _ in kinds]
    counted = perceptual_losses.numbers(grid_targets(rows, sample, images=len(images)), SIZES["category"])
    assert counted.tolist() == [[kinds.count(kind) for kind in range(SIZES["category"])] for kinds in images]


def test_the_number_is_the_sum_of_a_density_and_images_in_which_something_was_left_out_do_not_count():
    """Two of one kind and one of another, read without error by a density that each thing's patch holds."""
    head = perceptual_losses.NumberHead(WIDTH, SIZES)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.weight[3, 0] = head.weight[5, 1] = CELLS
    patches = torch.zeros(2, CELLS, WIDTH)
    patches[0, 2, 0] = patches[0, 7, 0] = patches[0, 4, 1] = 1
    rows = [codes(category=3), codes(category=3), codes(category=5), codes(category=6)]
    seen = torch.zeros((2, CELLS, 2), dtype=torch.int64)
    seen[1, 0, 0] = UNKNOWN
    assert head.loss(patches, grid_targets(rows, [0, 0, 0, 1], labels=seen)).item() == pytest.approx(0, abs=1e-6)
    assert head.loss(patches, grid_targets(rows, [0, 0, 0, 1], labels=torch.zeros_like(seen))).item() > 0.01
    nothing = head.loss(patches.requires_grad_(), grid_targets(rows, [0, 0, 0, 1], labels=seen - 1))
    assert nothing.item() == 0
    nothing.backward()


def test_codes_are_the_same_for_everyone():
    """Whoever loads the heads of another process has the same codes; a seed makes others."""
    one, two, other = (
        PerceptionHeads(WIDTH, SIZES),
        PerceptionHeads(WIDTH, SIZES),
        PerceptionHeads(WIDTH, SIZES, seed=1),
    )
    assert torch.equal(one.get_buffer("codes_colour"), two.get_buffer("codes_colour"))
    assert not torch.equal(one.get_buffer("codes_colour"), other.get_buffer("codes_colour"))
