"""What is exported for a harness opens in it: every item, to the byte, and figures that are those of `pstgen.score`."""

import base64
import dataclasses
import importlib.util
import inspect as source_of
import json
import sys
from itertools import cycle, islice
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

import pstgen
from pstgen.core.records import BadInput
from pstgen.dataset import exported, exporters, store
from pstgen.dataset.exporters import openai_batch, vlmevalkit
from pstgen.models import parsing

WORDINGS = ("{}", "The answer is {}.", "<think>A or B?</think> ({})", "I cannot see it.", "Option {}", "{} or A")
HARNESSES = ("lmms_eval", "vlmevalkit", "evalscope", "inspect", "openai_batch")


@pytest.fixture(scope="module")
def dataset(small_set):
    return store.open(small_set)


@pytest.fixture(scope="module")
def rows(dataset):
    return list(dataset.rows())


@pytest.fixture(scope="module")
def folders(dataset, tmp_path_factory):
    """Of every harness, the folder that is written for it."""
    places = {name: tmp_path_factory.mktemp(name) for name in HARNESSES}
    for name, place in places.items():
        exporters.load(name).write(dataset, place)
    return places


@pytest.fixture(scope="module")
def answers(dataset):
    """By item id: four pairs in five right and the lure for the fifth, in ways in which models say so, and in one that says nothing."""
    pairs = list(dataset.pairs())
    given = {}
    for n, (pair, wording) in enumerate(zip(pairs, islice(cycle(WORDINGS), len(pairs)), strict=True)):
        for item in pair.items:
            letter = exported.letter(item) if n % 5 else parsing.LETTERS[item.options.index(item.lure)]
            given[item.item_id] = wording.format(letter)
    return given


@pytest.fixture(scope="module")
def figures(dataset, answers):
    """What pstgen itself measures of those answers, 0 to 1."""
    return {name: figure / 100 for name, figure in pstgen.score(dataset, answers).figures.items()}


def module(file):
    """A Python file as a module, where neither pstgen nor inflect can be imported."""
    spec = importlib.util.spec_from_file_location(f"exported_{file.stem}", file)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def alone(monkeypatch):
    """No pstgen and no inflect, as on another machine."""
    parsing._spellings.cache_clear()
    for name in ("pstgen", "inflect"):
        monkeypatch.setitem(sys.modules, name, None)


def parts(name, folder, *, cache):
    """One configuration of an exported folder, as `datasets` reads it."""
    datasets = pytest.importorskip("datasets")
    return datasets.load_dataset(str(folder), name, split="test", cache_dir=str(cache))


@pytest.mark.parametrize("name", HARNESSES)
def test_no_file_names_a_place_of_this_machine(dataset, folders, name):
    places = [str(folders[name]).encode(), str(dataset.folder).encode(), str(Path.home()).encode()]
    for file in folders[name].rglob("*"):
        assert not file.is_file() or not any(place in file.read_bytes() for place in places)


@pytest.mark.parametrize("name", HARNESSES)
def test_a_page_says_what_to_type(folders, name):
    assert "```sh\n" in (folders[name] / "README.md").read_text(encoding="utf-8")


# lmms-eval


def test_lmms_eval_has_every_item_to_the_byte(rows, folders, tmp_path):
    datasets = pytest.importorskip("datasets")
    file = str(folders["lmms_eval"] / "test.parquet")
    read = datasets.load_dataset("parquet", data_files={"test": file}, split="test", cache_dir=str(tmp_path))
    assert isinstance(read.features["image"], datasets.Image)
    docs = list(read.cast_column("image", datasets.Image(decode=False)))
    assert len(docs) == len(rows)
    for doc, row in zip(docs, rows, strict=True):
        item = row.item
        assert doc["image"]["bytes"] == row.image
        assert (doc["question"], tuple(doc["options"]), doc["answer"]) == (item.question, item.options, item.answer)
        assert (doc["prompt"], doc["letter"], doc["lure"]) == (exported.prompt(item), exported.letter(item), item.lure)
        assert doc["twins"] == sum(other.item.pair_id == item.pair_id for other in rows)


def test_the_yaml_of_lmms_eval_names_what_is_beside_it(folders):
    class Loader(yaml.SafeLoader):
        """Reads `!function utils.name` as the name."""

    Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))
    folder = folders["lmms_eval"]
    text = (folder / "perception_stress_test.yaml").read_text(encoding="utf-8")
    task = yaml.load(text, Loader)
    functions = module(folder / "utils.py")
    metrics = {metric["metric"]: metric["aggregation"] for metric in task["metric_list"]}
    for name in (task["doc_to_visual"], task["process_results"], *metrics.values()):
        assert callable(getattr(functions, name.removeprefix("utils.")))
    columns = set(pq.read_schema(folder / task["dataset_kwargs"]["data_files"]["test"]).names)
    assert {task["doc_to_text"], task["doc_to_target"], task["cluster_key"]} <= columns
    assert set(metrics) == {"pst_pair", "pst_item", "pst_lure_rate", "pst_invalid_rate"}


@pytest.mark.parametrize("name", ["lmms_eval/utils.py", "inspect/pst.py"])
def test_an_exported_parser_is_ours(folders, name):
    file = folders[name.split("/")[0]] / name.split("/")[1]
    assert source_of.getsource(parsing) in file.read_text(encoding="utf-8")


def test_an_exported_parser_reads_as_ours_without_pstgen(folders, rows, answers, request):
    numbers = [str(number) for number in range(parsing.NUMBERS)]
    said = [(answers[row.item.item_id], row.item.options, True) for row in rows]
    said += [
        (word, numbers, False)
        for word in ("two", "Twenty-one.", "ninety nine", "zero", "12", "thirteen or 13", "1 or 2")
    ]
    said += [
        ("Yes, it is.", ("no", "yes"), True),
        ("Not the cup.", ("the cup", "the dog"), True),
        ("C", ("1", "2"), True),
    ]
    ours = [parsing.parse(text, options, letters=letters) for text, options, letters in said]
    words = [parsing._numbers().number_to_words(number) for number in range(parsing.NUMBERS)]
    request.getfixturevalue("alone")
    theirs = module(folders["lmms_eval"] / "utils.py")
    assert [theirs.parse(text, options, letters=letters) for text, options, letters in said] == ours
    assert [theirs._numbers().number_to_words(number) for number in range(parsing.NUMBERS)] == words
    assert len(set(ours)) > 4


@pytest.mark.usefixtures("figures", "alone")
def test_figures_of_lmms_eval_are_those_of_pstgen(folders, answers, figures):
    functions = module(folders["lmms_eval"] / "utils.py")
    docs = pq.read_table(folders["lmms_eval"] / "test.parquet").to_pylist()
    results = [functions.process_results(doc, [answers[doc["item_id"]]]) for doc in docs]
    assert [result["item_id"] for result in results] == [doc["item_id"] for doc in docs]
    assert functions.share_of_pairs([result["pst_pair"] for result in results]) == pytest.approx(figures["pair"])
    for name in ("item", "lure_rate", "invalid_rate"):
        mean = functions.mean_score([result[f"pst_{name}"] for result in results])
        assert mean == pytest.approx(figures[name])
        assert 0 < mean < 1
    assert 0 < figures["pair"] < 1


def test_a_pair_that_is_asked_in_part_is_left_out_and_named(folders, caplog):
    functions = module(folders["lmms_eval"] / "utils.py")
    docs = pq.read_table(folders["lmms_eval"] / "test.parquet").to_pylist()
    scored = [functions.process_results(doc, [doc["letter"]])["pst_pair"] for doc in docs]
    assert functions.share_of_pairs(scored) == 1
    assert not caplog.records
    assert functions.share_of_pairs(scored[:-1]) == 1
    assert "1 of " in caplog.text
    assert functions.share_of_pairs(scored[:1]) != functions.share_of_pairs(scored[:1])  # not a number


@pytest.mark.slow
def test_lmms_eval_prints_the_figures_of_pstgen(dataset, folders, elsewhere, tmp_path):
    out, task = tmp_path / "out", "perception_stress_test"
    elsewhere(
        "lmms_eval", "-m", "lmms_eval", "--model", "dummy", "--model_args", "response=A", "--include_path", ".",
        "--tasks", task, "--log_samples", "--batch_size", 1, "--output_path", out,
        folder=folders["lmms_eval"], cache=tmp_path / "cache",
    )  # fmt: skip
    (file,) = out.rglob("*_results.json")
    printed = json.loads(file.read_text())["results"][task]
    ours = pstgen.score(dataset, {item.item_id: "A" for item in dataset.items()}).figures
    for name in ("pair", "item", "lure_rate", "invalid_rate"):
        assert printed[f"pst_{name},none"] == pytest.approx(ours[name] / 100)
    assert printed["pst_item_stderr_clustered,none"] > 0
    (log,) = out.rglob("*_samples_*.jsonl")
    logged = {json.loads(line)["item_id"] for line in log.read_text().splitlines()}
    assert logged == {item.item_id for item in dataset.items()}


# VLMEvalKit


def table(file):
    """The TSV as VLMEvalKit reads it, and its images by its rule: a short cell is the index of another row."""
    pandas = pytest.importorskip("pandas")
    read = pandas.read_csv(file, sep="\t")
    cells = {str(index): str(cell) for index, cell in zip(read["index"], read["image"], strict=True)}
    return read, [cells[cell] if len(cell) <= 64 else cell for cell in cells.values()]


def test_vlmevalkit_has_every_item_to_the_byte(rows, folders):
    read, images = table(folders["vlmevalkit"] / f"{vlmevalkit.NAME}.tsv")
    assert len(read) == len(rows)
    for (_, line), image, row in zip(read.iterrows(), images, rows, strict=True):
        item = row.item
        assert base64.b64decode(image) == row.image
        assert tuple(line[letter] for letter in "ABCD" if line[letter] == line[letter]) == item.options
        assert (line["question"], line[line["answer"]], line[line["lure"]]) == (item.question, item.answer, item.lure)
        assert line["role"] == item.role
        assert (line["category"], line["l2-category"], line["item_id"]) == (item.family, item.frame, item.item_id)


def test_vlmevalkit_scores_twins_together_by_their_index(rows, folders):
    """As its circular evaluation does: rows of one group have one index modulo a million, and its first row that very index."""
    read, _ = table(folders["vlmevalkit"] / f"{vlmevalkit.NAME}.tsv")
    assert "circular" in vlmevalkit.NAME
    assert read["index"].is_unique
    groups = {}
    for index, name in zip(read["index"], read["pair_id"], strict=True):
        groups.setdefault(index % 10**6, []).append((index, name))
    assert sorted(groups) == list(range(1, len({row.item.pair_id for row in rows}) + 1))
    for number, group in groups.items():
        assert len({name for _, name in group}) == 1
        assert min(group)[0] == number


def test_more_pairs_than_vlmevalkit_can_tell_apart_are_refused(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(vlmevalkit, "TWIN", 3)
    indexed = vlmevalkit._indexed(rows, tmp_path)
    with pytest.raises(BadInput, match="has 3 pairs or more, which VLMEvalKit cannot tell apart"):
        list(indexed)


def test_a_picture_that_items_share_is_written_once(rows, folders):
    read, images = table(folders["vlmevalkit"] / f"{vlmevalkit.NAME}.tsv")
    held = [cell for cell in map(str, read["image"]) if len(cell) > 64]
    assert len(held) == len({row.image for row in rows}) == len(set(images)) < len(rows)


def test_numbers_stay_what_they_are_when_pandas_reads_them(rows, tmp_path):
    item = next(row.item for row in rows if len(row.item.options) == 4)
    yes = next(row.item for row in rows if row.item.options in {("yes", "no"), ("no", "yes")})
    count = dataclasses.replace(item, options=("1", "2", "3", "4"), answer="2", lure="3")
    made = [dataclasses.replace(rows[0], item=item) for item in (count, yes)]
    assert vlmevalkit._columns([count], tmp_path) == (4, False)
    most, in_words = vlmevalkit._columns([count, yes], tmp_path)
    assert (most, in_words) == (4, True)
    lines = list(vlmevalkit._lines(enumerate(made), most, in_words=in_words))
    assert lines[0][3:7] == ["one", "two", "three", "four"]
    assert lines[1][3:7] == [*yes.options, "", ""]


def test_an_option_that_pandas_takes_for_a_gap_is_refused(rows, tmp_path):
    parsers = pytest.importorskip("pandas._libs.parsers")
    assert set(parsers.STR_NA_VALUES) - {""} == vlmevalkit.GAPS
    item = dataclasses.replace(rows[0].item, options=("NULL", "yes"), answer="yes", lure="NULL")
    with pytest.raises(BadInput, match=f"{item.item_id} has the option 'NULL'"):
        vlmevalkit._columns([item], tmp_path)


@pytest.mark.slow
def test_vlmevalkit_itself_asks_our_questions(rows, folders, elsewhere, tmp_path):
    code = (
        f"import json; from vlmeval.dataset import build_dataset; data = build_dataset({vlmevalkit.NAME!r}); print('READ', "
        "json.dumps([type(data).__name__, *[[data.build_prompt(n)[-1]['value'], data[n]['image']] for n in range(len(data))]]))"
    )
    data = folders["vlmevalkit"]
    printed = elsewhere("vlmeval", "-c", code, folder=data, cache=tmp_path, LMUData=str(data))
    name, *asked = json.loads(printed.split("READ ")[-1])
    assert name == "CustomMCQDataset"
    assert len(asked) == len(rows)
    for (text, image), row in zip(asked, rows, strict=True):
        assert base64.b64decode(image) == row.image
        options = "".join(f"{letter}. {option}\n" for letter, option in zip("ABCD", row.item.options, strict=False))
        assert text.startswith(f"Question: {row.item.question}\nOptions:\n{options}Please")


# EvalScope


def test_evalscope_has_every_item_to_the_byte(rows, folders):
    lines = (folders["evalscope"] / "default_val.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(rows)
    for record, row in zip(map(json.loads, lines), rows, strict=True):
        item = row.item
        assert base64.b64decode(record["image_1"].split(",")[1]) == row.image
        assert record["question"] == f"<image 1> {item.question}"
        assert record["options"]["ABCD".index(record["answer"])] == item.answer
        assert (tuple(record["options"]), record["item_id"]) == (item.options, item.item_id)


@pytest.mark.slow
def test_evalscope_itself_asks_our_questions(rows, folders, elsewhere, tmp_path):
    code = """
import json
from evalscope.api.registry import get_benchmark
from evalscope.config import TaskConfig
import evalscope.benchmarks.general_vmcq.general_vmcq_adapter
of = {"general_vmcq": {"local_path": ".", "subset_list": ["default"]}}
samples = get_benchmark("general_vmcq", TaskConfig(model="m", datasets=["general_vmcq"], dataset_args=of)).load_dataset()
said = [[s.choices, s.target, [getattr(c, c.type) for c in s.input[0].content[1:]]] for s in samples["default"]]
print("READ", json.dumps(said))
"""
    printed = elsewhere("evalscope", "-c", code, folder=folders["evalscope"], cache=tmp_path)
    said = json.loads(printed.split("READ ")[-1])
    assert len(said) == len(rows)
    for (choices, target, (image, text)), row in zip(said, rows, strict=True):
        assert (tuple(choices), target) == (row.item.options, exported.letter(row.item))
        assert base64.b64decode(image.split(",")[1]) == row.image
        assert row.item.question in text


# inspect-ai


def test_inspect_has_every_item_to_the_byte_in_both_configurations(rows, folders, tmp_path):
    folder = folders["inspect"]
    task = yaml.safe_load((folder / "eval.yaml").read_text(encoding="utf-8"))["tasks"][0]
    fields = task["field_spec"]
    read = parts(task["config"], folder, cache=tmp_path)
    assert len(read) == len(parts("default", folder, cache=tmp_path)) == len(rows)
    for record, row in zip(read, rows, strict=True):
        item = row.item
        assert base64.b64decode(record[fields["input_image"]].split(",")[1]) == row.image
        assert (record[fields["input"]], tuple(record[fields["choices"]])) == (item.question, item.options)
        assert record[fields["target"]] == exported.letter(item)
        assert {name: record[name] for name in fields["metadata"]}["lure"] == item.lure


def test_eval_yaml_is_as_inspect_wants_it(rows, folders, tmp_path):
    hf = pytest.importorskip("inspect_ai._eval.task.hf")
    task = hf.HFTask.model_validate(yaml.safe_load((folders["inspect"] / "eval.yaml").read_text())["tasks"][0])
    record = parts(task.config, folders["inspect"], cache=tmp_path)[0]
    sample = hf._record_to_sample_hf(record, task.field_spec)
    assert (tuple(sample.choices), sample.target) == (rows[0].item.options, exported.letter(rows[0].item))
    assert [part.type for part in sample.input[0].content] == ["text", "image"]


@pytest.mark.slow
def test_inspect_itself_gives_the_figures_of_pstgen(rows, folders, answers, figures, elsewhere, tmp_path):
    (tmp_path / "answers.json").write_text(json.dumps([answers[row.item.item_id] for row in rows]))
    code = f"""
import json
from inspect_ai import eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model
def outputs():
    for text in json.load(open({str(tmp_path / "answers.json")!r})):
        output = ModelOutput.from_content("mockllm/model", text)
        output.usage = ModelUsage()
        yield output
model = get_model("mockllm/model", custom_outputs=outputs())
(log,) = eval("pst.py", model=model, max_connections=1, max_samples=1, display="none", log_dir={str(tmp_path / "logs")!r})
print("READ", json.dumps({{s.name: {{k: m.value for k, m in s.metrics.items()}} for s in log.results.scores}}))
"""
    printed = elsewhere("inspect_ai", "-c", code, folder=folders["inspect"], cache=tmp_path / "cache")
    measured = json.loads(printed.split("READ ")[-1])
    assert measured["right"]["pair"] == pytest.approx(figures["pair"])
    assert measured["right"]["accuracy"] == pytest.approx(figures["item"])
    assert measured["lured"]["of_stress_twins"] == pytest.approx(figures["lure_rate"])
    assert measured["invalid"]["mean"] == pytest.approx(figures["invalid_rate"])


# OpenAI's batches


def requests(folder):
    files = sorted(folder.glob("batch-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_batch_asks_every_item_once_with_its_image_to_the_byte(rows, folders):
    made = requests(folders["openai_batch"])
    assert [request["custom_id"] for request in made] == [row.item.item_id for row in rows]
    for request, row in zip(made, rows, strict=True):
        assert (request["method"], request["url"]) == ("POST", "/v1/chat/completions")
        (message,) = request["body"]["messages"]
        image, text = message["content"]
        assert base64.b64decode(image["image_url"]["url"].split(",")[1]) == row.image
        assert text["text"] == exported.prompt(row.item)
        assert request["body"]["temperature"] == 0


def test_a_request_is_one_of_openais(rows):
    pytest.importorskip("openai")
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
    from pydantic import TypeAdapter

    TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(openai_batch.request(rows[0])["body"], strict=False)


@pytest.mark.parametrize("limits", [{"requests": 7}, {"size": 60_000}])
def test_files_stay_within_the_limits_and_lose_nothing(rows, folders, tmp_path, limits):
    files = openai_batch.split(iter(rows), tmp_path, **limits)
    written = sorted(tmp_path.iterdir())
    assert files == len(written) > 1
    for file in written:
        assert file.stat().st_size <= limits.get("size", openai_batch.BYTES)
        assert len(file.read_bytes().splitlines()) <= limits.get("requests", openai_batch.REQUESTS)
    assert requests(tmp_path) == requests(folders["openai_batch"])


def test_a_request_that_is_larger_than_a_file_is_refused(rows, tmp_path):
    with pytest.raises(BadInput, match=f"item {rows[0].item.item_id}: its request has"):
        openai_batch.split(rows, tmp_path, size=1000)
