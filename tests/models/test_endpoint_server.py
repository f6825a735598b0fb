"""What is tested against a faulty server also holds for a real one: `transformers serve` with pstgen's own model."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from pstgen.core import resources
from pstgen.core.records import Unavailable
from pstgen.models.asking import prompt
from pstgen.models.endpoint import Endpoint
from pstgen.models.endpoint_limits import Limits

pytestmark = pytest.mark.slow
COMMAND = Path(sys.executable).with_name("transformers")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A server on a free port that loads the folder it is asked for, in the precision that Model has on a CPU."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    command = [COMMAND, "serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        wait(f"http://127.0.0.1:{port}/health", process, home / "log")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


def wait(page, process, log):
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(page, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"transformers serve did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def eye():
    return str(resources.model_folder("eye"))


def test_a_served_model_answers_what_it_answers_here(url, eye):
    from pstgen.models.huggingface import Model

    asked = [
        ("Is there a dog?", ("yes", "no")),
        ("How many cups are there?", ("0", "1", "2")),
        ("?", ("left", "right")),
    ]
    questions = [prompt(*question) for question in asked] * 2
    noise = np.random.default_rng(0).integers(0, 256, (3, 128, 128, 3), np.uint8)
    images = [None] * 3 + list(noise)
    served = Endpoint(url, eye).generate(questions, images, 8)
    here = Model(eye, "cpu")
    alone = [here.generate([question], [image], 8)[0] for question, image in zip(questions, images, strict=True)]
    assert served == alone
    assert len(set(served)) > 1


def test_the_probe_finds_that_it_looks_and_offers_no_log_probabilities(url, eye):
    endpoint = Endpoint(url, eye)
    offer = endpoint.probe()
    assert (offer.top, offer.blind) == (0, "")
    assert endpoint.revision == f"{eye}@main {{}}"
    with pytest.raises(Unavailable, match="offers no log-probabilities; use --ask generate"):
        endpoint.score(["?"], [("A", "B")], [None])


def test_what_it_cannot_serve_is_one_line(url, tmp_path):
    with pytest.raises(Unavailable) as caught:
        Endpoint(url, str(tmp_path / "nothing"), Limits(retries=1)).probe()
    assert str(caught.value) == f"{url}: 500 Internal Server Error (after 2 tries)"


def test_a_text_model_that_is_sent_an_image_is_found_to_be_blind(url, tmp_path):
    from transformers import AutoTokenizer

    words = resources.model_folder("words")
    folder = tmp_path / "words"
    folder.mkdir()
    for file in words.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    tokenizer.save_pretrained(folder)
    endpoint = Endpoint(url, str(folder), Limits(retries=1))
    assert endpoint.probe().blind == "with one, its prompt is no longer than without"
    with pytest.raises(Unavailable, match="takes no images"):
        endpoint.generate(["?"], [np.zeros((8, 8, 3), np.uint8)], 4)
    assert len(endpoint.generate(["?", "!"], [None, None], 4)) == 2
