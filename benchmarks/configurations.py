"""What `pstgen build --dry-run` needs of a large build and no more: models without weights, and COCO's folder without pictures.

    python benchmarks/configurations.py FOLDER
    pstgen build --source coco --root FOLDER/coco --split train2017 --vlm FOLDER/qwen2.5-vl-3b --dry-run

FOLDER/coco lists as many pictures as train2017 has, each an empty file, and no annotations; the size is 640 x 480. Sizes of models are those of the model cards. SmolLM2's tokenizer stands for Qwen's, of which it has a third of the words, so that nothing is
downloaded: a text has a few tokens more.
"""

import json
import sys
from pathlib import Path

import transformers

from pstgen.core import resources

VISION = {
    "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "patch_size": 14, "spatial_merge_size": 2,
    "temporal_patch_size": 2, "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31],
}  # fmt: skip
TEXT = {
    "qwen2.5-vl-3b": {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
                      "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True},
    "qwen2.5-vl-7b": {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
                      "num_key_value_heads": 4, "vocab_size": 152064, "tie_word_embeddings": False},
}  # fmt: skip
PIXELS = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280}  # of a picture, in all
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c['text'] }}"
    "{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


PICTURES = 118_287


def coco(folder: Path) -> None:
    """A list of pictures, with empty files."""
    pictures, annotations = folder / "train2017", folder / "annotations"
    for each in (pictures, annotations):
        each.mkdir(parents=True, exist_ok=True)
    images = [{"id": n, "file_name": f"{n:012}.jpg", "width": 640, "height": 480} for n in range(1, PICTURES + 1)]
    for image in images:
        (pictures / image["file_name"]).touch()
    tables = {"images": images, "annotations": [], "categories": [{"id": 1, "name": "person"}]}
    (annotations / "instances_train2017.json").write_text(json.dumps(tables))


def main(folder: Path) -> None:
    coco(folder / "coco")
    file = resources.smollm2()
    words = transformers.AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
    special = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    words.add_special_tokens({"additional_special_tokens": special})
    ids = dict(zip(special, words.convert_tokens_to_ids(special), strict=True))
    named = {"image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>", "vision_start_token_id": "<|vision_start|>",
             "vision_end_token_id": "<|vision_end|>"}  # fmt: skip
    for name, text in TEXT.items():
        eyes = transformers.Qwen2VLImageProcessor(patch_size=14, size=PIXELS)
        processor = transformers.Qwen2_5_VLProcessor(
            eyes, words, transformers.Qwen2VLVideoProcessor(), chat_template=TEMPLATE
        )
        rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]}
        config = transformers.Qwen2_5_VLConfig(
            vision_config=VISION | {"out_hidden_size": text["hidden_size"]},
            text_config=text | {"max_position_embeddings": 128000, "rope_parameters": rope},
            tie_word_embeddings=text["tie_word_embeddings"],
            **{key: ids[token] for key, token in named.items()},
        )
        for part in (config, processor):
            part.save_pretrained(folder / name)
        print(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
