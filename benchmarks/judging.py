"""How fast, and in how much memory, a VLM's verdicts come: ours beside a loop of `generate` and plain padded batches, in one run.

    python benchmarks/judging.py                 # the eye and a LLaVA of 93 M random weights, on the CPU
    python benchmarks/judging.py --only qwen2.5-vl-3b,llava-1.5-7b --device cuda   # random weights of the true size

Every way scores the same questions, 8 an image, with two to four options. Each runs in a process of its own, in turn,
so that its peak memory is its own; the model is loaded first and not timed.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import tables

IMAGES, QUESTIONS = 16, 8
WAYS = {"ours": "pstgen", "batches": "plain padded batches", "loop": "a loop of `generate`"}
BATCH = 32
ASKED = (
    ("Is there a dog in the picture?", ("no", "yes")),
    ("How many cups are there?", ("1", "2", "3", "4")),
    ("What colour is the car?", ("blue", "green", "red", "white")),
    ("Is the cat to the left of the chair?", ("no", "yes")),
    ("Which is nearer?", ("the dog", "the car")),
    ("There is a keyboard. Which of these is there too?", ("mouse", "cup", "book", "sink")),
    ("Is the arm of the person above the shoulder?", ("no", "yes")),
    ("What is at the marked point?", ("dog", "traffic light", "bench", "kite")),
)


def small_llava(folder):
    """A LLaVA of 93 M random weights: CLIP ViT-B/32 at 336 pixels, and 8 layers of 512."""
    from pstgen.models import from_scratch

    texts = [f"{question} {' '.join(options)}" for question, options in ASKED] * 20
    tokenizer = from_scratch.train_tokenizer(texts, 600)
    vision = {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 8,
        "num_attention_heads": 12,
        "patch_size": 16,
    }
    text = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 8, "num_attention_heads": 8}
    model, processor = from_scratch.llava(tokenizer, vision, text, 336, 0)
    _save(model, processor, folder)


def _save(model, processor, folder):
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def eye(folder):
    """The one that comes with pstgen."""
    import shutil

    from pstgen.core.resources import model_folder

    shutil.copytree(model_folder("eye"), folder, dirs_exist_ok=True)


def llava_7b(folder):
    """LLaVA-1.5-7B's architecture with random weights, in bfloat16."""
    import torch
    import transformers

    from pstgen.models import from_scratch

    torch.set_default_dtype(torch.bfloat16)
    tokenizer = from_scratch.train_tokenizer([question for question, _ in ASKED] * 20, 600)
    vision = {
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "patch_size": 14,
    }
    text = transformers.LlamaConfig().to_dict() | {"vocab_size": 32064, "max_position_embeddings": 4096}
    with torch.device("cuda"):
        model, processor = from_scratch.llava(tokenizer, vision, text, 336, 0)
    _save(model.cpu(), processor, folder)


def qwen_3b(folder):
    """Qwen2.5-VL-3B's architecture with random weights, in bfloat16, and a tokenizer of our own."""
    import torch
    import transformers

    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import tiny_vlms

    tiny_vlms.build("qwen2_5_vl", folder)
    processor = transformers.AutoProcessor.from_pretrained(folder)
    processor.image_processor.size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280}
    tiny = transformers.AutoConfig.from_pretrained(folder)
    config = transformers.Qwen2_5_VLConfig(
        vision_config={"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 2048,
                       "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31]},
        text_config={"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 2,
                     "vocab_size": 151936, "max_position_embeddings": 128000, "tie_word_embeddings": True,
                     "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]}},
        **{name: getattr(tiny, name) for name in ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")},
    )  # fmt: skip
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = transformers.Qwen2_5_VLForConditionalGeneration(config)
    _save(model.cpu(), processor, folder)


MODELS = {"eye": eye, "llava-93m": small_llava, "qwen2.5-vl-3b": qwen_3b, "llava-1.5-7b": llava_7b}
NAMES = {
    "eye": "the eye (LLaVA, 64 pixels)",
    "llava-93m": "LLaVA, 93 M random weights, 336 pixels",
    "qwen2.5-vl-3b": "Qwen2.5-VL-3B, random weights",
    "llava-1.5-7b": "LLaVA-1.5-7B, random weights",
}


def questions(images):
    """(prompts, options, images) of all items, an image's side by side."""
    from pstgen.models.asking import prompt

    rng = np.random.default_rng(0)
    shown = [
        np.ascontiguousarray(rng.integers(0, 255, (12, 16, 3), np.uint8).repeat(40, 0).repeat(40, 1))
        for _ in range(images)
    ]
    rows = [(prompt(*asked), asked[1], image) for image in shown for asked in ASKED[:QUESTIONS]]
    return [list(column) for column in zip(*rows, strict=True)]


def run(way, folder, device, images):
    """Print seconds an item, peak memory and scores of one way, as JSON."""
    import torch

    from pstgen.models.huggingface import Model

    torch.manual_seed(0)
    model = Model(str(folder), device)
    asked = questions(images)
    check = model.checked

    ways = {
        "ours": lambda: model.score(*asked),
        "batches": lambda: batches(model, asked),
        "loop": lambda: model.score_by("single", *asked),  # one `generate` an item, and one more for each longer option
    }
    if model.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    scores = ways[way]()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if model.device.startswith("cuda"):
        peak = torch.cuda.max_memory_allocated()
    flops = _flops(model, asked) if way == "ours" and model.device.startswith("cuda") else None
    print(json.dumps({"seconds": seconds / len(scores), "peak": peak, "before": before * 1024, "scores": scores,
                      "road": check.seeing, "flops": flops and flops / len(scores)}))  # fmt: skip


def batches(model, asked):
    """Rows of prompt and all but the last token of an option, each once, padded, BATCH at once; an image is encoded in every row."""
    import torch

    answers = [
        model.chat.answer_ids(model.chat.text(text, with_image=True), options)
        for text, options in zip(*asked[:2], strict=True)
    ]
    jobs = [
        (n, prefix) for n, of in enumerate(answers) for prefix in dict.fromkeys(tuple(answer[:-1]) for answer in of)
    ]
    steps = {}
    for begin in range(0, len(jobs), BATCH):
        some = jobs[begin : begin + BATCH]
        rows = [(at, prefix) for at, (_, prefix) in enumerate(some)]
        texts, images = [asked[0][n] for n, _ in some], [asked[2][n] for n, _ in some]
        with torch.inference_mode():
            steps |= dict(zip(some, model.next_token_logprobs(rows, texts, images), strict=True))
    return [
        [sum(float(steps[n, tuple(answer[:-1])][k, token]) for k, token in enumerate(answer)) for answer in of]
        for n, of in enumerate(answers)
    ]


def _flops(model, asked):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model.score(*asked)
    return counter.get_total_flops()


@click.command()
@click.option("--only", default="eye,llava-93m", help="Models, by name, parted by commas.")
@click.option("--device", default="cpu")
@click.option("--images", default=IMAGES)
@click.option("--peak-tflops", type=float, help="Of the device in bfloat16, for the model FLOPs utilization.")
@click.option("--way", hidden=True)
@click.option("--folder", hidden=True)
@click.option("--write", type=click.Path(path_type=Path), help="Put the table into this page, between its marks.")
def main(  # noqa: PLR0913, PLR0917 (what can be chosen)
    only, device, images, peak_tflops, way, folder, write
):
    """Print a table: milliseconds an item, how many times as fast, peak memory, and the largest difference in a score."""
    if way:
        run(way, folder, device, images)
        return
    lines = [
        "| model | way | ms an item | ours is faster by | peak memory | scores differ from `generate` by |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name in only.split(","):
        with tempfile.TemporaryDirectory() as place:
            MODELS[name](Path(place))
            results = {way: _measured(way, place, device, images) for way in WAYS}
        lines += list(_rows(name, results, peak_tflops))
    table = "\n".join(lines)
    tables.show("judging", table, write)


def _measured(way, place, device, images):
    command = [sys.executable, __file__, "--way", way, "--folder", place, "--device", device, "--images", str(images)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _rows(name, results, peak_tflops):
    ours, truth = results["ours"], results["loop"]["scores"]
    for way, label in WAYS.items():
        found = results[way]
        worst = max(abs(a - b) for x, y in zip(found["scores"], truth, strict=True) for a, b in zip(x, y, strict=True))
        times = "" if way == "ours" else f"{found['seconds'] / ours['seconds']:.1f} x"
        more = f", {ours['road']} prefix" if way == "ours" else ""
        if way == "ours" and peak_tflops and ours["flops"]:
            more += f", {100 * ours['flops'] / ours['seconds'] / peak_tflops / 1e12:.0f} % of the device's FLOPs"
        yield f"| {NAMES[name]} | {label}{more} | {1000 * found['seconds']:.1f} | {times} | {found['peak'] / 2**20:,.0f} MiB | {worst:.1e} |"


if __name__ == "__main__":
    main()
