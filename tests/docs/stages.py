"""What a page presupposes: sets, photographs, models, servers, answers, and files of other programs."""

import importlib.util
import json
import random
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

TESTS = Path(__file__).parents[1]
CHECKOUT = TESTS.parent
SMALLEST = "tiny_llava"
COMMIT = "0123456789" * 4
LICENCES = [
    {"id": 4, "name": "Attribution License", "url": "http://creativecommons.org/licenses/by/2.0/"},
    {"id": 5, "name": "Attribution-ShareAlike License", "url": "http://creativecommons.org/licenses/by-sa/2.0/"},
]
FEW_STEPS = {"size": 32, "batch": 2, "accumulate": 1, "joint_steps": 3, "warm_up": 1, "keep_every": 2, "lora": 2}
BROWSER = '''#!{python}
"""A browser that judges every tenth label of the audit page to be wrong, the others right, and then types Ctrl-C."""
import json
import os
import signal
import sys
import urllib.request

address, program = sys.argv[1], os.getppid()
if os.fork():
    raise SystemExit
with urllib.request.urlopen(address + "start") as answer:
    pairs = json.load(answer)["pairs"]
for n, twin in enumerate(twin for pair in pairs for twin in pair["twins"]):
    verdict = json.dumps({{"item": twin["item"], "verdict": "right" if n % 10 else "wrong"}}).encode()
    request = urllib.request.Request(address + "verdict", verdict, {{"Content-Type": "application/json"}})
    urllib.request.urlopen(request).close()
os.kill(program, signal.SIGINT)
'''


def module(file):
    """A module or package of the tests, by its file."""
    package = [str(file.parent)] if file.name == "__init__.py" else None
    name = file.parent.name if package else file.stem
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=package)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@dataclass
class Store:
    """What is made once for all pages, and changed by none. folder: where; sound: a verified set."""

    folder: Path
    sound: Path

    def model(self, architecture):
        """The folder of a tiny model of random weights."""
        folder = self.folder / architecture
        if not folder.exists():
            if architecture == SMALLEST:
                module(TESTS / "tiny_llava.py").build(folder)
            else:
                module(TESTS / "tiny_vlms" / "__init__.py").build(architecture, folder)
        return folder

    @cached_property
    def coco(self):
        """COCO's folder, with drawings in place of photographs, half of them under each of two licences."""
        drawings(self.folder / "coco", "val2017", 0)
        return self.folder / "coco"


def drawings(folder, split, seed, *, scenes=240, images=""):
    """Write the built-in world as a split of COCO. images: the folder of the pictures, as the split where none is named."""
    from pstgen.core.config import WorldConfig
    from pstgen.scenes.world import files

    draft = folder.parent / f"draft-{split}"
    draft.mkdir(parents=True)
    files.write(WorldConfig(n=scenes, size=96, typicality=0.9, seed=seed, out=draft), draft)
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    (draft / "world").rename(folder / (images or split))
    for kind in ("instances", "captions", "person_keypoints"):
        table = json.loads((draft / "annotations" / f"{kind}_world.json").read_text())
        for row in table.get("images", ()):
            name = f"{seed}{row['file_name'][1:]}"
            if kind == "instances":
                (folder / (images or split) / row["file_name"]).rename(folder / (images or split) / name)
            row |= {"file_name": name, "license": LICENCES[row["id"] % 2]["id"]}
        table["licenses"] = LICENCES
        (folder / "annotations" / f"{kind}_{split}.json").write_text(json.dumps(table))
    shutil.rmtree(draft)
    return folder / "annotations" / f"instances_{split}.json"


@dataclass
class Stage:
    """Where a page is run. folder: the current one; home: the user's; replaced: what its texts have instead."""

    folder: Path
    home: Path
    store: Store
    servers: ExitStack
    replaced: dict = field(default_factory=dict)
    environment: dict = field(default_factory=dict)

    def set_in(self, *names):
        """A verified set of the world in these folders."""
        for name in names:
            shutil.copytree(self.store.sound, self.folder / name)

    def coco_in(self, folder):
        """COCO's folder at this place."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(self.store.coco)

    def model_in(self, name, architecture=SMALLEST):
        """A tiny model in ~/models."""
        (self.home / "models").mkdir(exist_ok=True)
        shutil.copytree(self.store.model(architecture), self.home / "models" / name)

    def from_hub(self, name, architecture=SMALLEST, cache=None):
        """A tiny model in the place of one of the hub's, as the hub's own library keeps what it has loaded."""
        kept = (cache or self.home / "hub") / "hub" / f"models--{name.replace('/', '--')}"
        (kept / "refs").mkdir(parents=True)
        (kept / "refs" / "main").write_text(COMMIT)
        shutil.copytree(self.store.model(architecture), kept / "snapshots" / COMMIT)

    def server(self, name):
        """A server of a model of that name; returns its address."""
        servers = module(TESTS / "models" / "faulty_server.py")
        model = {"id": name, "root": name, "created": 1}
        return self.servers.enter_context(servers.serve(model=model, most_logprobs=20)).url

    def write(self, name, rows):
        """A file of JSON lines."""
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def items(self):
        """The items of pst/."""
        from pstgen.dataset import store

        return list(store.open(self.folder / "pst").items())


def readme(stage):
    """What `pstgen fetch coco` has loaded, annotations of one's own, and models."""
    from pstgen.core.config import FetchConfig
    from pstgen.scenes import download

    cache = Path(stage.environment["XDG_CACHE_HOME"]) / "pstgen" / "coco"
    (cache / ".fetched").mkdir(parents=True)
    catalogue = download._catalogue("coco")
    for name in download._archives(catalogue, FetchConfig(what="coco")):
        (cache / ".fetched" / f"{name}-{catalogue.archives[name].sha256[:16]}").touch()
    for place in stage.store.coco.iterdir():
        (cache / place.name).symlink_to(place)
    own_annotations(stage)
    stage.from_hub("HuggingFaceTB/SmolVLM-256M-Instruct", "smolvlm")
    stage.model_in("qwen")
    stage.replaced["DIR-OR-HUB-ID"] = "~/models/qwen"


def own_annotations(stage):
    """mine.json with its pictures, and more.json without."""
    draft = stage.home / "draft"
    drawings(draft, "mine", 2, images="images").rename(stage.folder / "mine.json")
    (draft / "images").rename(stage.folder / "images")
    drawings(stage.home / "other", "more", 3).rename(stage.folder / "more.json")


def annotations(stage):
    """Annotations of one's own, and COCO's folder."""
    own_annotations(stage)
    stage.coco_in(stage.home / "coco")
    stage.environment["PSTGEN_COCO_ROOT"] = str(stage.home / "coco")


def attack(stage):
    """Two benchmarks as they are published, and one of other columns."""
    rng = random.Random(0)
    things = ["dog", "cup", "car", "bird", "chair", "bench"]

    def pope(n):
        text = f"Is there a {rng.choice(things)} in the image?"
        return {
            "question_id": n,
            "image": f"COCO_val2014_{n // 6:012}.jpg",
            "text": text,
            "label": rng.choice(["yes", "no"]),
        }

    def own(n):
        options = rng.sample(things, 4)
        return {"q": f"Which of them is in picture {n}?", "candidates": options, "gold": rng.choice(options)}

    stage.write("coco_pope_popular.json", [pope(n) for n in range(240)])
    stage.write("mine.jsonl", [own(n) for n in range(120)])
    lines = ["index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\timage"]
    lines += [
        "\t".join([str(n), "What is it?", "", *rng.sample(things, 4), rng.choice("ABCD"), rng.choice("xy"), ""])
        for n in range(120)
    ]
    (stage.folder / "MMBench_DEV_EN.tsv").write_text("\n".join(lines) + "\n")


def audit(stage):
    """A set, and somebody who looks at it."""
    stage.set_in("pst")
    browser = stage.home / "browser"
    browser.write_text(BROWSER.format(python=sys.executable))
    browser.chmod(0o755)
    stage.environment["BROWSER"] = f"{browser} %s"


def cluster(stage):
    """COCO's folder, a model, and one of the hub's in the cache of the cluster."""
    stage.coco_in(stage.home / "data" / "coco")
    stage.model_in("qwen")
    stage.from_hub("Qwen/Qwen2.5-VL-7B-Instruct", cache=stage.home / "scratch" / "anna" / "hub")
    stage.environment["USER"] = "anna"
    one = "pstgen build --source coco --root /data/coco --vlm ~/models/qwen --shard {0}/4 --out parts/{0}"
    stage.replaced[one.format(1)] = f"for n in 1 2 3 4; do {one.format('$n')}; done"
    stage.replaced |= {"/data/coco": str(stage.home / "data" / "coco"), "/scratch/": str(stage.home / "scratch") + "/"}


def endpoint(stage):
    """A set, COCO's folder, and a server."""
    stage.set_in("pst")
    annotations(stage)
    stage.replaced["http://127.0.0.1:8000/v1"] = stage.server("Qwen/Qwen2.5-VL-3B-Instruct")


def evaluate(stage):
    """A set, models, a server, and answers that were made elsewhere."""
    stage.set_in("pst")
    stage.from_hub("HuggingFaceTB/SmolVLM-256M-Instruct", "smolvlm")
    stage.from_hub("Qwen/Qwen2.5-VL-3B-Instruct", "qwen2_5_vl")
    stage.model_in("qwen")
    stage.replaced |= {"http://127.0.0.1:8000/v1": stage.server("qwen"), "--model MODEL": "--model ~/models/qwen"}
    stage.write("answers.jsonl", [{"item_id": item.item_id, "prediction": item.lure} for item in stage.items()])
    stage.write("points.jsonl", [{"item_id": item.item_id, "prediction": "[20, 30]"} for item in stage.items()])


def one_set(stage):
    """A set in pst/."""
    stage.set_in("pst")


def new_family(stage):
    """The example's package, as `pip install -e .` installs it."""
    site = stage.home / "site"
    metadata = site / "equal-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: equal\nVersion: 1.0\n")
    page = (CHECKOUT / "docs" / "new-family.md").read_text()
    (entry,) = [line for line in page.splitlines() if line.startswith("equal = ")]
    group = "pstgen.families"
    assert f'[project.entry-points."{group}"]\n{entry}' in page
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{entry.replace(chr(34), '')}\n")
    shutil.copy(CHECKOUT / "examples" / "new_family.py", site)
    stage.environment["PYTHONPATH"] = str(site)


def publish(stage):
    """Two versions of a set, and the hub."""
    stage.set_in("pst", "old", "new")
    from pstgen.cli import main

    main(["publish", str(stage.folder / "old"), "-q"], standalone_mode=False)
    hub = stage.servers.enter_context(module(TESTS / "dataset" / "hub_server.py").running())
    stage.replaced["USER/pst"] = f"anna/pst --endpoint {hub.address}"
    stage.environment |= {"HF_TOKEN": "hf_test", "HF_HUB_OFFLINE": "0"}


def scaling(stage):
    """Verdicts of a model, servers, COCO's folder and a model."""
    from pstgen.core.config import EvalConfig
    from pstgen.evaluation import stress_test

    stage.set_in("pst")
    annotations(stage)
    stage.model_in("qwen")
    servers = [stage.server("Qwen/Qwen2.5-VL-3B-Instruct") for _ in range(2)]
    stage.replaced |= dict(zip(("http://node1:8000/v1", "http://node2:8000/v1"), servers, strict=True))
    stage.replaced["--split train2017"] = "--split val2017"  # that of which there are pictures
    stress_test.evaluate(EvalConfig(folder=stage.folder / "pst", model=servers[0], model_name="Qwen/Qwen2.5-VL-3B-Instruct", limit=4))  # fmt: skip


def training_on_pairs(stage):
    """A model of the hub's, and an export for TRL."""
    from pstgen.cli import main

    stage.from_hub("Qwen/Qwen2.5-VL-3B-Instruct", "qwen2_5_vl")
    stage.set_in("pst")
    main(["export", str(stage.folder / "pst"), "--to", "trl-grpo", "--out", str(stage.folder / "grpo"), "-q"], standalone_mode=False)  # fmt: skip


def training(stage):
    """A recipe of a few steps, one for a LLaVA, and the files of benchmarks."""
    from pstgen.core.config import build_config
    from pstgen.core.report import Refusals
    from pstgen.questions.benchmarks import synthetic
    from pstgen.scenes import sources

    stage.set_in("pst")
    drawings(stage.home / "coco", "train2017", 4, scenes=60)
    stage.model_in("llava")
    shutil.copy(TESTS / "few_steps.yaml", stage.folder / "few.yaml")
    llava = yaml.safe_load((CHECKOUT / "pstgen" / "training" / "recipes" / "llava.yaml").read_text())
    (stage.folder / "llava.yaml").write_text(yaml.safe_dump(llava | FEW_STEPS))
    stage.replaced |= {
        "--recipe llava --model DIR": "--recipe llava.yaml --model ~/models/llava",
        "--recipe full": "--recipe few.yaml --dry-run",
    }
    config = build_config(source="world", scenes=6, size=64, seed=9)
    scenes = list(sources.load("world").scenes(config, lambda _: True, Refusals()))
    for name in ("vqa", "gqa"):
        synthetic.write(scenes, stage.home / name, "test", synthetic.Rules(per_scene=3))


def eye(stage):
    """The eye, in a folder of that name."""
    from pstgen.core import resources

    (stage.folder / "eye").symlink_to(resources.model_folder("eye"))


STAGES = {
    "README.md": readme,
    "docs/annotations.md": annotations,
    "docs/attack.md": attack,
    "docs/audit.md": audit,
    "docs/cluster.md": cluster,
    "docs/dataset.md": one_set,
    "docs/endpoint.md": endpoint,
    "docs/evaluate.md": evaluate,
    "docs/exit-codes.md": one_set,
    "docs/new-family.md": new_family,
    "docs/publish.md": publish,
    "docs/scaling.md": scaling,
    "docs/training-on-pairs.md": training_on_pairs,
    "docs/training.md": training,
    "docs/tutorial.md": lambda _: None,
    "pstgen/models/weights/eye/README.md": eye,
}
