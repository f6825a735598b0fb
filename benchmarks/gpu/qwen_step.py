"""One step of Qwen2.5-VL-3B's architecture with random weights and LoRA, with and without the perceptual reward.

On an accelerator: `python benchmarks/gpu/qwen_step.py --peak 989` (TFLOP/s of bfloat16 that the device's maker tells). Where
there is none, `--layers 1 --batch 1 --size 112` shows that it runs. Prints a table for benchmarks/gpu/README.md.
"""

import argparse
import time
from functools import partial
from itertools import islice

import torch
import transformers

from pstgen.core import resources
from pstgen.core.config import build_config
from pstgen.core.report import Refusals
from pstgen.evaluation.aggregate import device
from pstgen.models.flops import count_flops
from pstgen.models.perceptual_losses import PerceptionHeads
from pstgen.scenes.sources import world
from pstgen.training import grid_targets, joint_stage, modeling, trainer
from pstgen.training.batches import IGNORED
from pstgen.training.recipe import Recipe

PATCH, MERGED = 14, 28  # pixels of a patch, and of what one token shows
QUESTIONS, ANSWERS = 160, 16  # tokens behind the image: packed questions, and those of their answers
VISION_START, VISION_END, IMAGE = 151652, 151653, 151655  # of the published vocabulary
WARM_UP, STEPS = 3, 10


def architecture(layers: int) -> transformers.Qwen2_5_VLConfig:
    """Of the published config.json of Qwen2.5-VL-3B, with so many layers at most."""
    vision = {
        "depth": min(32, layers), "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 2048,
        "patch_size": PATCH, "window_size": 112, "fullatt_block_indexes": [n for n in (7, 15, 23, 31) if n < layers],
    }  # fmt: skip
    text = {
        "vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": min(36, layers),
        "num_attention_heads": 16, "num_key_value_heads": 2, "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
    }  # fmt: skip
    return transformers.Qwen2_5_VLConfig(
        vision_config=vision, text_config=text, tie_word_embeddings=True, image_token_id=IMAGE,
        vision_start_token_id=VISION_START, vision_end_token_id=VISION_END,
    )  # fmt: skip


def drawn(model: torch.nn.Module, many: int, size: int, on: str) -> tuple[dict[str, torch.Tensor], list[str]]:
    """A batch of noise with the targets of the world's scenes, and the names of their categories."""
    cells, patches = size // MERGED, size // PATCH
    scenes = list(islice(world.scenes(build_config(source="world", scenes=many), lambda _: True, Refusals()), many))
    categories = list(scenes[0].categories)
    words = torch.randint(1000, 100000, (many, QUESTIONS))
    image = torch.full((many, cells**2), IMAGE)
    ends = (torch.full((many, 1), end) for end in (VISION_START, VISION_END))
    ids = torch.cat([next(ends), image, next(ends), words], dim=1)
    grid = torch.tensor([[1, patches, patches]] * many)
    labels = torch.full_like(ids, IGNORED)
    labels[:, -ANSWERS:] = ids[:, -ANSWERS:]
    kinds = (ids == IMAGE).int()
    batch = {
        "input_ids": ids,
        "labels": labels,
        "attention_mask": torch.ones(ids.shape[1], ids.shape[1]).tril().bool().expand(many, 1, -1, -1),
        "position_ids": model.model.get_rope_index(ids, mm_token_type_ids=kinds, image_grid_thw=grid)[0],
        "pixel_values": torch.randn(many * patches**2, 3 * 2 * PATCH**2),
        "image_grid_thw": grid,
        "targets": grid_targets.collate(
            [grid_targets.from_scene(scene, cells, categories) for scene in scenes]
        )._asdict(),
    }
    return moved(batch, on), categories


def moved(batch, on):
    return {name: moved(one, on) if isinstance(one, dict) else one.to(on) for name, one in batch.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=36, help="of the language model and, up to 32, of the encoder")
    parser.add_argument("--batch", type=int, default=8, help="images a step")
    parser.add_argument("--size", type=int, default=448, help="of an image, pixels")
    parser.add_argument("--lora", type=int, default=64, help="rank")
    parser.add_argument("--peak", type=float, help="TFLOP/s of bfloat16 by the device's maker")
    told = parser.parse_args()
    on = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(on):  # billions of random numbers are quickly drawn where they stay
        model = transformers.Qwen2_5_VLForConditionalGeneration(architecture(told.layers))
    torch.set_default_dtype(torch.float32)
    batch, categories = drawn(model, told.batch, told.size, on)
    recipe = Recipe(lora=told.lora)
    words = transformers.PreTrainedTokenizerFast.from_pretrained(resources.model_folder("eye"), local_files_only=True)
    vlm = modeling.Vlm(model, None, told.size // MERGED, told.size)
    losses = joint_stage.joint_losses(vlm, recipe, modeling.name_tokens(words, categories))
    heads = PerceptionHeads(vlm.width, grid_targets.code_counts(categories)).to(on)
    tuned = joint_stage.adapt(model, recipe)
    tuned.perception = heads
    tuned.train()
    tokens = batch["input_ids"].numel()
    print(
        f"{device()}; {sum(p.numel() for p in model.parameters()) / 1e9:.2f} billion weights, {tokens} tokens a step\n"
    )
    print("| | tokens a second | ms a step | memory, GiB | model FLOPs utilization |\n|---|--:|--:|--:|--:|")
    for name, shown in (("without", {k: v for k, v in batch.items() if k != "targets"}), ("with the reward", batch)):
        optimizer = torch.optim.AdamW(p for p in tuned.parameters() if p.requires_grad)
        once = partial(one_step, tuned, losses, shown, optimizer, on)
        flops = count_flops(once)
        seconds, memory = timed(once)
        used = f"{100 * flops / seconds / told.peak / 1e12:.1f} %" if told.peak else "-"
        print(f"| {name} | {tokens / seconds:,.0f} | {1000 * seconds:,.0f} | {memory} | {used} |", flush=True)


def one_step(model, losses, batch, optimizer, on) -> None:
    with torch.autocast(on, torch.bfloat16):
        loss = trainer.total_loss(losses(model, batch, 1))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def timed(once) -> tuple[float, str]:
    """Seconds a step, and the most memory of the accelerator."""
    for _ in range(WARM_UP):
        once()
    if cuda := torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(STEPS):
        once()
    if cuda:
        torch.cuda.synchronize()
    seconds = (time.perf_counter() - start) / STEPS
    return seconds, f"{torch.cuda.max_memory_allocated() / 2**30:.1f}" if cuda else "-"


if __name__ == "__main__":
    main()
