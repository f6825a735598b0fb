"""What is exported for trainers is read by the trainers' own readers, and says of every item what the set says."""

import importlib.util
import io
import json
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from pstgen import rewards
from pstgen.dataset import exporters, store, training_rows

PARQUET = ["trl_sft", "trl_dpo", "trl_grpo", "verl", "easyr1"]
pytestmark = pytest.mark.filterwarnings("ignore")  # other people's libraries warn of their own affairs


@pytest.fixture(scope="module")
def dataset(small_set):
    return store.open(small_set)


@pytest.fixture(scope="module")
def rows(dataset):
    return {row.item.item_id: row for row in dataset.rows()}


@pytest.fixture(scope="module")
def exported(dataset, tmp_path_factory):
    """Name → the folder that it was exported into."""
    folders = {}

    def export(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            exporters.load(name).write(dataset, folders[name])
        return folders[name]

    return export


def loaded(folder):
    from datasets import load_dataset

    return load_dataset(str(folder), split="train", cache_dir=str(folder.with_name(f"{folder.name}-cache")))


def pixels(image):
    return image.convert("RGB").tobytes()


def same_picture(image, row):
    return pixels(image) == pixels(Image.open(io.BytesIO(row.image)))


def answer_of(turns, role="role", text="content"):
    *asked, last = turns
    return (asked[-1][text] if asked else ""), last[text], last[role]


@pytest.mark.parametrize("name", PARQUET)
def test_datasets_opens_the_folder_as_one_split_with_pictures(exported, rows, name):
    table = loaded(exported(name))
    assert len(table) == len(rows)
    names = [cells["extra_info"]["item_id"] if name == "verl" else cells["item_id"] for cells in table]
    assert names == list(rows)
    for cells, row in zip(table, rows.values(), strict=True):
        image = cells["image"] if name == "trl_grpo" else cells["images"][0]
        assert same_picture(image, row)


def test_trl_shows_the_picture_before_the_question_and_learns_the_answers_words(exported, rows):
    data_utils = pytest.importorskip("trl.data_utils")
    for cells in loaded(exported("trl_sft")):
        row = rows[cells["item_id"]]
        asked, answered = data_utils.prepare_multimodal_messages(cells["messages"], images=cells["images"])
        assert [part["type"] for part in asked["content"]] == ["image", "text"]
        assert asked["content"][1]["text"] == training_rows.question(row.item)
        assert answered["content"] == [{"type": "text", "text": row.item.answer}]
        assert cells["chain"] == row.chain


def test_of_two_twins_each_answer_is_chosen_once_and_rejected_once(exported, rows):
    pairs = {}
    for cells in loaded(exported("trl_dpo")):
        assert cells["prompt"][0]["content"] == training_rows.question(rows[cells["item_id"]].item)
        assert cells["chosen"][0]["content"] == rows[cells["item_id"]].item.answer
        pairs.setdefault(cells["pair_id"], []).append((cells["chosen"][0]["content"], cells["rejected"][0]["content"]))
    assert all({first[::-1] for first in pair} == set(pair) for pair in pairs.values() if len(pair) == 2)
    assert pairs


@pytest.mark.parametrize("name", ["trl_grpo", "easyr1"])
def test_rewards_read_the_columns_as_they_are_exported(exported, rows, name):
    columns = loaded(exported(name)).to_dict()
    right, lure = columns["answer"], columns["lure"]
    control = [float(rows[item].item.role == "control") for item in columns["item_id"]]
    assert rewards.answer(None, right, **columns) == rewards.pair_gate(None, right, **columns) == [1.0] * len(rows)
    assert rewards.answer(None, lure, **columns) == control
    assert set(rewards.pair_gate(None, lure, **columns)) == {0.0}
    assert rewards.chain(None, columns["chain"], **columns) == [1.0] * len(rows)


def test_boxes_and_masks_are_of_what_shows_the_answer(exported, rows):
    columns = loaded(exported("trl_grpo")).to_dict()
    named = [" ".join(map(str, boxes)) for boxes in columns["boxes"]]
    absent = [not row.item.evidence for row in rows.values()]
    expected = [None if nothing else 1.0 for nothing in absent]
    assert rewards.iou(None, named, **columns) == pytest.approx(expected)
    for row, mask in zip(rows.values(), columns["mask"], strict=True):
        target = next((target.pixels for target in row.targets if target.kind == "mask"), None)
        assert (mask is None) == (target is None or not target.any())
        if mask:
            inside = target.nonzero()
            point = f"({inside[1][0]}, {inside[0][0]})"
            assert rewards.point_in_mask(None, [point], mask=[mask]) == [1.0]
    assert any(mask for mask in columns["mask"])


def test_verl_reads_prompt_and_picture_and_its_reward_finds_the_answer_right(exported, rows, tmp_path):
    rl_dataset = pytest.importorskip("verl.utils.dataset.rl_dataset")
    from omegaconf import OmegaConf
    from verl.utils.import_utils import load_extern_object

    config = OmegaConf.create({"filter_overlong_prompts": False, "cache_dir": str(tmp_path)})
    file = str(exported("verl") / training_rows.PARQUET)
    table = rl_dataset.RLHFDataset(file, tokenizer=None, processor=object(), config=config)
    score = load_extern_object("pkg://pstgen.rewards", "score")
    assert len(table) == len(rows)
    for cells, row in zip(table, rows.values(), strict=True):
        (turn,) = cells["raw_prompt"]
        image, text = turn["content"]
        assert same_picture(image["image"], row)
        assert text["text"] == training_rows.question(row.item)
        truth, extra = cells["reward_model"]["ground_truth"], cells["extra_info"]
        assert score(cells["data_source"], f"It is {truth}.", truth, extra) == 1.0
        assert score(cells["data_source"], row.item.lure, truth, extra) == float(row.item.lure == row.item.answer)


def test_llava_finds_every_picture_beside_its_list(exported, rows):
    folder = exported("llava")
    records = json.loads((folder / "train.json").read_text(encoding="utf-8"))
    assert [record["id"] for record in records] == list(rows)
    for record in records:
        row = rows[record["id"]]
        assert (folder / record["image"]).read_bytes() == row.image
        question, answer, speaker = answer_of(record["conversations"], "from", "value")
        assert (question, answer, speaker) == (f"<image>\n{training_rows.question(row.item)}", row.item.answer, "gpt")


@pytest.mark.parametrize("name", ["pst_sft", "pst_dpo"])
def test_llama_factory_finds_both_sets_and_their_pictures(exported, rows, monkeypatch, name):
    monkeypatch.setenv("DISABLE_VERSION_CHECK", "1")  # of Transformers, which reading does not need
    parser = pytest.importorskip("llamafactory.data.parser", exc_type=ImportError)
    from llamafactory.data.loader import _load_single_dataset
    from llamafactory.hparams import DataArguments, ModelArguments, TrainingArguments

    folder = exported("llama_factory")
    (found,) = parser.get_dataset_list([name], str(folder))
    arguments = DataArguments(dataset=name, dataset_dir=str(folder), template="qwen2_vl")
    model, training = ModelArguments(model_name_or_path="none"), TrainingArguments(output_dir=str(folder / "out"))
    table = _load_single_dataset(found, model, arguments, training)
    assert len(table) == len(rows)
    for cells, row in zip(table, rows.values(), strict=True):
        assert cells["_prompt"] == [{"role": "user", "content": f"<image>{training_rows.question(row.item)}"}]
        assert [Path(file).read_bytes() for file in cells["_images"]] == [row.image]
        right, *wrong = [turn["content"] for turn in cells["_response"]]
        assert right == row.item.answer
        assert len(wrong) == (name == "pst_dpo")
        assert right not in wrong


def test_ms_swift_keeps_messages_boxes_and_the_columns_of_rewards(exported, rows):
    swift = pytest.importorskip("swift.dataset", exc_type=ImportError)
    file = str(exported("ms_swift") / "train.jsonl")
    table, _ = swift.load_dataset(file, split_dataset_ratio=0, remove_unused_columns=False)
    assert len(table) == len(rows)
    for cells, row in zip(table, rows.values(), strict=True):
        question, answer, speaker = answer_of(cells["messages"])
        assert (question, answer, speaker) == (
            f"<image>{training_rows.question(row.item)}",
            row.item.answer,
            "assistant",
        )
        assert cells["rejected_response"] != answer
        objects = cells["objects"]
        assert len(objects["ref"]) == len(objects["bbox"]) == len(objects["image_id"]) == len(cells["boxes"])
        assert objects["bbox"] == [pytest.approx(box) for box in cells["boxes"]]
        assert rewards.pair_gate(None, [answer, answer], **twice(cells)) == [None, None]


def twice(cells):
    return {name: [cells[name]] * 2 for name in ("answer", "options", "item_id", "pair_id", "twins")}


def test_ms_swifts_template_turns_boxes_into_the_models_own(exported, rows, monkeypatch, tmp_path):
    """Of Qwen2-VL those are thousandths of the picture's sides."""
    swift = pytest.importorskip("swift.template", exc_type=ImportError)
    pytest.importorskip("qwen_vl_utils")
    from swift.model import get_processor

    folder = exported("ms_swift")
    monkeypatch.setenv("ROOT_IMAGE_DIR", str(folder))
    lines = (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()
    cells = next(record for record in map(json.loads, lines) if len(record["boxes"]) == 1)
    processor = get_processor(str(tiny(tmp_path)), model_type="qwen2_vl")
    template = swift.get_template(processor, template_type="qwen2_vl")
    template.set_mode("train")
    asked, _ = cells["messages"]
    messages = [asked, {"role": "assistant", "content": "<ref-object> at <bbox>"}]
    encoded = template.encode({"messages": messages, "images": cells["images"], "objects": cells["objects"]})
    text = template.safe_decode([token for token in encoded["labels"] if token != -100])
    left, top, right, bottom = cells["boxes"][0]
    size = rows[cells["item_id"]].scene
    corners = (
        [round(1000 * x / size.width) for x in (left, right)],
        [round(1000 * y / size.height) for y in (top, bottom)],
    )
    for x, y in zip(*corners, strict=True):
        assert f"({x},{y})" in text.replace(" ", "")
    assert cells["objects"]["ref"][0].split()[-1] in text


def blocks():
    """The Python of the page about training, a text each."""
    page = (Path(__file__).parents[3] / "docs" / "training-on-pairs.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


SMALL = "max_steps=2, use_cpu=True, bf16=False, report_to=[], logging_steps=1"


@pytest.mark.slow
def test_the_pages_example_trains_with_trl_and_no_pair_is_parted(exported, monkeypatch, tmp_path):
    pytest.importorskip("trl")
    gates = []

    def pair_gate(*arguments, given=rewards.pair_gate, **columns):
        gates.extend(given(*arguments, **columns))
        return gates[-len(columns["answer"]) :]

    monkeypatch.setattr(rewards, "pair_gate", pair_gate)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    code = next(block for block in blocks() if "GRPOTrainer" in block)
    for written, here in {
        '"Qwen/Qwen2.5-VL-3B-Instruct"': repr(str(tiny(tmp_path))),
        '"grpo/"': repr(str(exported("trl_grpo"))),
        '"out/"': repr(str(tmp_path / "out")),
        "max_completion_length=64": f"max_completion_length=8, {SMALL}",
    }.items():
        assert code.count(written) == 1, written
        code = code.replace(written, here)
    names = {}
    exec(compile(code, "training-on-pairs.md", "exec"), names)
    assert names["trainer"].state.global_step == 2
    assert len(gates) == 2 * 16
    assert set(gates) <= {0.0, 1.0}
    assert any("rewards/pair_gate/mean" in line for line in names["trainer"].state.log_history)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SFT", "DPO"])
def test_trl_takes_two_steps_on_what_is_exported_for_it(exported, tmp_path, name):
    trl = pytest.importorskip("trl")
    config = getattr(trl, f"{name}Config")
    arguments = config(
        output_dir=str(tmp_path / "out"),
        max_length=None,
        max_steps=2,
        use_cpu=True,
        bf16=False,
        report_to=[],
        logging_steps=1,
    )
    trainer = getattr(trl, f"{name}Trainer")(
        model=str(tiny(tmp_path)), args=arguments, train_dataset=loaded(exported(f"trl_{name.lower()}"))
    )
    trainer.train()
    assert [line["loss"] > 0 for line in trainer.state.log_history if "loss" in line] == [True, True]


def test_the_pages_reward_for_easyr1_reads_its_answers(exported):
    names = {}
    exec(next(block for block in blocks() if "compute_score" in block), names)
    columns = loaded(exported("easyr1")).to_dict()
    for right, lure in zip(columns["answer"], columns["lure"], strict=True):
        assert names["compute_score"]({"response": right, "ground_truth": right})["overall"] == 1.0
        assert names["compute_score"]({"response": f"{right} or {lure}", "ground_truth": right})["overall"] == 0.0


def test_the_pages_rewards_are_known_to_ms_swift(exported):
    pytest.importorskip("swift.rewards", exc_type=ImportError)
    names = {}
    exec(next(block for block in blocks() if "swift.rewards" in block), names)
    lines = (exported("ms_swift") / "train.jsonl").read_text(encoding="utf-8").splitlines()
    records = list(map(json.loads, lines))
    columns = {name: [record[name] for record in records] for name in records[0]}
    for name in ("pst_answer", "pst_pairs"):
        assert names["orms"][name]()(columns["answer"], **columns) == [1.0] * len(records)


def tiny(folder):
    file = Path(__file__).parents[2] / "tiny_vlms" / "__init__.py"
    spec = importlib.util.spec_from_file_location("tiny_vlms", file, submodule_search_locations=[str(file.parent)])
    sys.modules["tiny_vlms"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build("qwen2_vl", folder / "qwen2_vl")
