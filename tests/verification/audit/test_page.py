"""The audit page in a real Chromium, by keyboard, mouse and touch."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from pstgen.dataset import store
from pstgen.verification import annotations

selenium = pytest.importorskip("selenium", reason="pip install selenium drives the browser")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs a browser: apt-get install chromium chromium-driver"
)


REBOUND = "rebound.example"  # a name of somebody else's that leads here


class Audit:
    """`pstgen audit` as a process of its own."""

    def __init__(self, folder, who="anna", n=8):
        self.folder = folder
        words = ["audit", str(folder), "--n", str(n), "--who", who, "--no-open"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pstgen", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.greeting = self.process.stdout.readline()
        self.address = self.process.stdout.readline().strip()

    def end(self, how=signal.SIGINT):
        """What it says last, and its exit code."""
        self.process.send_signal(how)
        output = self.process.communicate(timeout=20)[0]
        return output, self.process.returncode

    @property
    def lines(self):
        return annotations.read(self.folder / annotations.FILE)

    @property
    def standing(self):
        return {line.item: line.verdict for line in annotations.standing(self.lines)}


@pytest.fixture
def audit(built, tmp_path, chromium) -> Iterator[Audit]:
    folder = tmp_path / "pst"
    shutil.copytree(built, folder)
    running = Audit(folder)
    yield running
    chromium.get("about:blank")  # a page is left before its server ends
    if running.process.poll() is None:
        running.end()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--window-size=1280,860",
        f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
    ):
        options.add_argument(word)
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture
def page(chromium, audit):
    """The page, opened; at its end no error may stand in the browser's console."""
    seen = Page(chromium)
    seen.open(audit.address)
    yield seen
    assert seen.browser.get_log("browser") == []


class Page:
    """What a person sees and does."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, address):
        self.browser.get_log("browser")  # of earlier pages
        self.browser.get(address)
        self.until(lambda: self.text("#count"))
        self.settle()

    def until(self, met):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, 10, poll_frequency=0.02).until(lambda _: met())

    def one(self, selector):
        return self.browser.find_element("css selector", selector)

    def all(self, selector):
        return self.browser.find_elements("css selector", selector)

    def text(self, selector):
        return self.one(selector).text

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        for key in keys:
            ActionChains(self.browser).send_keys(getattr(Keys, key, key)).perform()
        self.settle()

    def click(self, selector):
        self.one(selector).click()
        self.settle()

    def settle(self):
        """Until all that was asked for is done and every picture is there."""
        self.browser.execute_async_script("const [done] = arguments; queue.then(() => done())")
        loaded = "return [...document.images].every((image) => !image.src || image.complete)"
        self.until(lambda: self.browser.execute_script(loaded))

    @property
    def counts(self):
        """Judged, and of how many."""
        done, _, total = self.text("#count").partition(" of ")
        return int(done), int(total)

    @property
    def focus(self):
        """The item in focus, and the place of its pair."""
        return self.one("article[data-focused=true]").get_attribute("data-item"), self.text("#place")

    def shown(self, selector):
        return self.one(selector).is_displayed()


def test_the_page_shows_the_question_the_labels_and_the_pictures(page, audit):
    item = page.focus[0]
    shown = next(each for each in store.open(audit.folder).items() if each.item_id == item)
    assert page.text("#question") == shown.question
    assert [option.text for option in page.all("#options li")] == list(shown.options)
    assert page.text("article[data-focused=true] .label") == f"the label says {shown.answer}"
    loaded = (
        "return [...document.images].filter((i) => i.src && !i.hidden).every((i) => i.complete && i.naturalWidth == 64)"
    )
    page.until(lambda: page.browser.execute_script(loaded))


def test_keys_judge_move_and_take_back(page, audit):
    first, place = page.focus
    page.press("1")
    second, _ = page.focus
    assert second != first
    page.press("w")
    assert page.focus[1] != place  # the pair is done, the next one comes
    assert page.counts == (2, 8)
    assert audit.standing == {first: "right", second: "wrong"}
    page.press("3", "u")
    assert page.counts == (2, 8)
    page.press("u")
    assert page.focus == (second, place)
    assert audit.standing == {first: "right"}
    page.press("ARROW_LEFT", "a")
    assert page.focus == (first, place)  # a second thought does not turn the page
    assert audit.standing == {first: "ambiguous"}
    page.press("ARROW_DOWN")
    assert page.text("#place").startswith("pair 2 of")
    page.press("ARROW_UP", "ARROW_RIGHT")
    assert page.focus == (second, place)


def test_keys_that_come_faster_than_the_disk_are_each_heard(page, audit):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(page.browser).send_keys("121212").perform()
    page.settle()
    assert [line.verdict for line in audit.lines] == ["right", "wrong"] * 3
    assert len({line.item for line in audit.lines}) == 6


def test_one_key_says_that_the_rest_of_the_pair_is_right(page, audit):
    page.press("2", "4")
    assert [line.verdict for line in audit.lines] == ["wrong", "right"]
    page.press("e")
    assert page.counts == (4, 8)


def test_the_mouse_does_the_same(page, audit):
    items = [card.get_attribute("data-item") for card in page.all("article")]
    page.click("article:nth-child(2) .look")
    assert page.focus[0] == items[1]
    page.click("article:nth-child(2) [data-verdict=ambiguous]")
    page.click("article:nth-child(1) [data-verdict=right]")
    assert audit.standing == {items[1]: "ambiguous", items[0]: "right"}
    page.click("#undo")
    assert audit.standing == {items[1]: "ambiguous"}
    page.click("#all")
    page.click("#next")
    page.click("#previous")
    assert page.text("#place").startswith("pair 2 of")
    assert audit.standing == {items[1]: "ambiguous", items[0]: "right"}


@pytest.mark.parametrize("by", ["key", "mouse"])
def test_the_overlay_lies_on_the_picture_and_goes_again(page, by):
    tinted = next(n for n in range(8) if page.all(".tint[src]") or page.press("ARROW_DOWN"))
    assert tinted < 8
    toggle = (lambda: page.press("o")) if by == "key" else (lambda: page.click("#overlay"))
    assert not page.shown(".tint[src]")
    toggle()
    assert page.shown(".tint[src]")
    assert page.one("#overlay").get_attribute("aria-pressed") == "true"
    cell = page.one("article:has(.tint[src])")
    image, tint = (cell.find_element("css selector", kind).rect for kind in (".image", ".tint"))
    assert image == tint
    toggle()
    assert not page.shown(".tint[src]")


def test_lure_and_role_are_said_only_when_asked_and_for_this_pair(page):
    assert not page.shown(".role")
    assert not {"stress", "control"} & set(page.text("main").split())
    page.press("l")
    assert "the words suggest" in page.text(".role")
    page.press("ARROW_DOWN")
    assert not page.shown(".role")


def test_help_opens_and_keys_rest_while_it_is_open(page, audit):
    page.press("?")
    assert page.shown("#keys")
    page.press("1", "ESCAPE")
    assert not page.shown("#keys")
    assert audit.lines == []
    page.click("#help")
    page.click("#keys button")
    assert not page.shown("#keys")


def test_the_end_sums_up_and_leads_back_to_what_is_doubtful(page, audit):
    doubted, _ = page.focus
    page.press("2", *"4444")
    assert page.counts == (8, 8)
    assert page.text("#end h1") == "Every label of the sample is judged"
    assert "7 right, 1 wrong, 0 ambiguous" in page.text("#sum")
    assert page.text("#verify") == f"pstgen verify {audit.folder}"
    page.click("#doubtful button")
    assert page.focus[0] == doubted


def test_ctrl_c_says_where_the_verdicts_are(page, audit):
    page.press("1", "2")
    output, code = audit.end()
    assert code == 0
    assert f"{audit.folder / annotations.FILE}: 2 of 8 labels judged by anna: 1 right, 1 wrong, 0 ambiguous" in output


def test_a_crash_loses_nothing(chromium, audit):
    page = Page(chromium)
    page.open(audit.address)
    page.press("1", "2", "3")
    before = audit.standing
    audit.end(signal.SIGKILL)
    page.press("1")
    assert "Not saved" in page.text("#trouble")
    assert page.counts == (3, 8)
    with (audit.folder / annotations.FILE).open("ab") as file:
        file.write(b'{"item":"torn in the mid')
    again = Audit(audit.folder)
    try:
        assert "3 of 8 labels judged by anna: 1 right, 1 wrong, 1 ambiguous" in again.greeting
        page.open(again.address)
        assert page.counts == (3, 8)
        assert page.focus[0] not in before
        page.press("1")
        assert again.standing == before | {again.lines[-1].item: "right"}
    finally:
        again.end()


def test_a_phone_shows_it_all_without_scrolling_sideways(chromium, audit):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        page = Page(chromium)
        page.open(audit.address)
        for _ in range(4):  # every page, the tint and the words about the lure on it
            page.press("o", "l")
            assert page.browser.execute_script("return document.documentElement.scrollWidth") == 390
            for button in page.all("button"):
                if button.is_displayed():
                    at = button.rect
                    assert at["height"] >= 44
                    assert at["width"] >= 44
                    assert at["x"] >= 0
                    assert at["x"] + at["width"] <= 390
            seen = page.browser.execute_script(
                "const b = document.querySelector('article[data-focused=true] .verdicts').getBoundingClientRect();"
                "return b.top > 0 && b.bottom <= innerHeight"
            )
            assert seen  # the picture in focus can be judged as it stands
            page.press("4")
        assert page.shown("#end")
        assert page.browser.execute_script("return document.documentElement.scrollWidth") == 390
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


class Stranger(BaseHTTPRequestHandler):
    """Another page on loopback."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another site</title>")

    def log_message(self, *_):
        pass


TRY = """
const [address, body, done] = arguments;
const tries = ["application/json", "text/plain"].flatMap((kind) => ["cors", "no-cors"].map((mode) =>
  fetch(address + "verdict", {method: "POST", mode, headers: {"Content-Type": kind}, body})));
const reads = [fetch(address + "start").then((a) => a.text()), new Promise((seen, not) => {
  const image = new Image();
  [image.onload, image.onerror, image.src] = [() => seen("seen"), not, address + "image/" + JSON.parse(body).item];
})];
Promise.allSettled([...tries, ...reads]).then((all) => done(all.map((one) => one.value?.status ?? one.value ?? "refused")));
"""


def test_another_page_in_the_same_browser_gets_nothing_even_if_it_knows_the_secret(chromium, audit):
    stranger = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    stranger.daemon_threads = True
    thread = Thread(target=stranger.serve_forever)
    thread.start()
    try:
        chromium.get(f"http://127.0.0.1:{stranger.server_port}/")
        item = next(store.open(audit.folder).items()).item_id
        body = json.dumps({"item": item, "verdict": "right"})
        results = chromium.execute_async_script(TRY, audit.address, body)
        assert set(results) <= {"refused", 0}  # 0: an answer that may not be read
        assert audit.lines == []
    finally:
        stranger.shutdown()
        thread.join()
        stranger.server_close()


def test_a_name_of_somebody_elses_that_leads_here_gets_nothing(chromium, audit):
    chromium.get(audit.address.replace("127.0.0.1", REBOUND))
    assert chromium.find_element("css selector", "body").text == "the request names another host"
    chromium.get(audit.address.replace("127.0.0.1", "localhost"))
    assert chromium.title == "pstgen audit"
