"""Every architecture is scored, and answers, as a plain model of it generates, or is refused in one line.

The reference knows nothing of pstgen: a freshly loaded model, its own chat template, forced tokens, one row at a time.
"""

import inspect
from functools import lru_cache

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from pstgen.core.records import Unavailable
from pstgen.models.asking import prompt

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of so many models
REFUSED = {
    "blip": "cannot be asked",
    "blip2": "cannot be asked",
    "instructblip": "cannot be asked",
    "kosmos-2": "cannot be asked without an image, as a judge must be",
    "florence2": "is an encoder-decoder",
    "cosmos3_edge": "cannot be asked",  # its processor leaves out an input that it needs
    "got_ocr2": "cannot be asked",
    "instructblipvideo": "cannot be asked",
    "shieldgemma2": "weights are missing",  # those of the words: it classifies
}
PLAIN = "USER: {image}{question} ASSISTANT:"
WITHOUT_TEMPLATE = {  # the prompt, and what their processors put behind it
    "chameleon": (PLAIN, ""),
    "git": ("{question}", ""),
    "paligemma": ("{question}", "\n"),
    "paligemma2": ("{question}", "\n"),
    "lm_gpt2": (PLAIN, ""),
    "lm_llama_base": (PLAIN, ""),
}
SPACED = {  # whose prompts end in a word or a colon, so that an answer begins with a space
    *("chameleon", "deepseek_ocr2", "deepseek_vl", "deepseek_vl_hybrid", "emu3", "git", "idefics2", "idefics3"),
    *("janus", "llava", "llava_next", "llava_next_video", "llava_sp", "lm_gpt2", "lm_llama_base", "smolvlm"),
    *("unlimited_ocr", "video_llava", "vipllava"),
}
ASKED = (
    ("Is there a dog in the picture?", ("yes", "no")),
    ("How many cups are there?", ("1", "2", "3", "10")),
    ("What colour is the car?", ("blue", "dark green", "red")),
    ("Is there a cat to the left of the very small cup, as most people would say?", ("no", "yes")),
    ("Which is nearer?", ("the dog", "the car")),
    ("How many?", ("4", "none")),
)
SIZES = ((48, 64), (96, 32), (64, 64), (40, 120), (33, 97))
TOKENS = 4  # of an answer in words of its own


@pytest.fixture(scope="module")
def images():
    """One for each question; the first is asked about twice."""
    rng = np.random.default_rng(1)
    drawn = [rng.integers(0, 255, (h // 8 + 1, w // 8 + 1, 3), dtype=np.uint8) for h, w in SIZES]
    five = [np.ascontiguousarray(d.repeat(8, 0).repeat(8, 1)[:h, :w]) for d, (h, w) in zip(drawn, SIZES, strict=True)]
    return [*five, five[0]]


class Reference:
    """A model and a processor of Transformers, asked as its documentation says."""

    def __init__(self, name, folder):
        self.name = name
        words = name.startswith("lm_")
        auto = transformers.AutoModelForCausalLM if words else transformers.AutoModelForImageTextToText
        self.model = auto.from_pretrained(folder).eval()
        self.processor = (transformers.AutoTokenizer if words else transformers.AutoProcessor).from_pretrained(folder)
        self.tokenizer = self.processor if words else self.processor.tokenizer
        self.takes = inspect.signature(self.model.forward).parameters

    def text(self, question, image):
        """The prompt, and the inputs that it comes to."""
        if self.name in WITHOUT_TEMPLATE:
            plain, end = WITHOUT_TEMPLATE[self.name]
            text = plain.format(question=question, image="" if image is None else "<image>\n")
            if image is not None:
                return text + end, self.processor(images=Image.fromarray(image), text=text, return_tensors="pt")
            takes_text = (
                self.processor if self.name == "chameleon" else self.tokenizer
            )  # it ends a prompt by a separator
            begin = self.tokenizer.bos_token if self.name.startswith("paligemma") else ""  # its processor writes that
            return text + end, takes_text(text=begin + text + end, return_tensors="pt")
        content = question
        if not self.name.startswith("lm_"):
            shown = [] if image is None else [{"type": "image", "image": Image.fromarray(image)}]
            content = [*shown, {"type": "text", "text": question}]
        chat = [{"role": "user", "content": content}]
        options = {"add_generation_prompt": True, "enable_thinking": False, "thinking": False}
        encoded = self.processor.apply_chat_template(
            chat, tokenize=True, return_dict=True, return_tensors="pt", **options
        )
        return self.processor.apply_chat_template(chat, tokenize=False, **options), encoded

    def inputs(self, encoded):
        dropped = {"labels"} | {name for name in ("token_type_ids",) if name not in self.takes}
        return {
            name: value.to(self.model.dtype) if torch.is_tensor(value) and value.is_floating_point() else value
            for name, value in encoded.items()
            if name not in dropped
        }

    def answer_ids(self, text, option):
        """What follows the prompt's tokens in those of the whole."""
        before, whole = (
            self.tokenizer(written, add_special_tokens=False)["input_ids"]
            for written in (text, text + " " * (self.name in SPACED) + option)
        )
        assert whole[: len(before)] == before
        return whole[len(before) :]

    @torch.inference_mode()
    def score(self, question, options, image):
        text, encoded = self.text(question, image)
        inputs, scores = self.inputs(encoded), []
        start = inputs["input_ids"].shape[1]
        for option in options:
            ids = self.answer_ids(text, option)
            output = self.model.generate(
                **inputs,
                max_new_tokens=len(ids),
                do_sample=False,
                num_beams=1,
                prefix_allowed_tokens_fn=lambda _, said, ids=ids: [ids[min(len(said) - start, len(ids) - 1)]],
                output_logits=True,
                return_dict_in_generate=True,
                eos_token_id=-1,
            )
            assert output.sequences[0, -len(ids) :].tolist() == ids
            steps = zip(output.logits, ids, strict=True)
            scores.append(float(sum(logits[0].float().log_softmax(-1)[token] for logits, token in steps)))
        return scores

    @torch.inference_mode()
    def generate(self, question, image):
        inputs = self.inputs(self.text(question, image)[1])
        ids = self.model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False, num_beams=1)
        return self.tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()


def refused(architecture, tiny):
    """Is it one that cannot be asked? If so, it says so in a line."""
    if architecture not in REFUSED:
        return False
    with pytest.raises(Unavailable, match=REFUSED[architecture]) as told:
        _ = tiny(architecture).checked
    assert "\n" not in str(told.value)
    return True


@pytest.fixture(scope="module")
def reference(tiny_folder):
    """Loaded anew for every architecture; one that is asked without an image never saw any."""

    @lru_cache(maxsize=2)
    def loaded(name, *, seeing):  # noqa: ARG001
        return Reference(name, tiny_folder(name))

    return loaded


PROMPTS, OPTIONS = [prompt(*asked) for asked in ASKED], [of for _, of in ASKED]


def compare(model, reference, shown):
    expected = [reference.score(*asked) for asked in zip(PROMPTS, OPTIONS, shown, strict=True)]
    for ours, its in zip(model.score(PROMPTS, OPTIONS, shown), expected, strict=True):
        assert ours == pytest.approx(its, abs=1e-4)
    assert np.ptp(np.concatenate(expected)) > 1  # random weights, but not without an opinion


def test_with_an_image(architecture, tiny, reference, images):
    if refused(architecture, tiny) or architecture.startswith("lm_"):
        return
    compare(tiny(architecture), reference(architecture, seeing=True), images)


def test_without_an_image(architecture, tiny, reference):
    """As a blind judge is asked."""
    if not refused(architecture, tiny):
        compare(tiny(architecture), reference(architecture, seeing=False), [None] * len(ASKED))


@pytest.mark.parametrize("seeing", [True, False])
def test_in_words_of_its_own(architecture, tiny, reference, images, seeing):
    if refused(architecture, tiny) or (seeing and architecture.startswith("lm_")):
        return
    shown = images if seeing else [None] * len(ASKED)
    said = tiny(architecture).generate(PROMPTS, shown, TOKENS)
    plain = reference(architecture, seeing=seeing)
    assert said == [plain.generate(*asked) for asked in zip(PROMPTS, shown, strict=True)]


def test_the_image_changes_the_scores(architecture, tiny, images):
    if refused(architecture, tiny) or architecture.startswith("lm_"):
        return
    shown = [*images[:2], None]
    seen = [tiny(architecture).score(PROMPTS[:1], OPTIONS[:1], [image])[0] for image in shown]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(np.array(seen[a]) - seen[b]).max() > 1e-3
