"""The gallery in a real Chromium: keys, filters, search, outlines, print, phones, and 5,000 pairs."""

import shutil
import time

import numpy as np
import pytest

from pstgen.core import pages
from pstgen.dataset.exporters import gallery
from pstgen.scenes.png import encode

pytest.importorskip("selenium", reason="pip install selenium drives the browser")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs a browser: apt-get install chromium chromium-driver"),
]
PICTURE = pages.data_uri(encode(np.full((60, 80, 3), 200, np.uint8)), "png")
LONG = "In this picture, which of these can you see as well? " * 8


def twin(name, role, answer, outline):
    return gallery.Twin(
        id=name, role=role, answer=answer, image=PICTURE, width=80, height=60, outline=outline, joints=[], mark=None,
        words=f"a thing; so {answer}", written="", licence="CC0-1.0",
    )  # fmt: skip


def entry(n):
    """Every third is a group of four; the VLM wins every fourth."""
    options = ("cup", "dog", "cat", "cow") if n % 3 == 0 else ("yes", "no")
    lure, *others = options
    twins = [twin(f"p{n:04}-{answer}", "stress", answer, "M10 10l20 0 0 20-20 0z") for answer in others]
    twins = [*twins, twin(f"p{n:04}-{lure}", "control", lure, "")]
    won = [each.answer for each in twins]
    return gallery.Entry(
        id=f"p{n:04}", family=("existence", "colour", "count")[n % 3], frame="neutral", twin="matched",
        direction="other" if n % 3 == 0 else "yes", question=f"Number {n}. {LONG}", neutral=f"Number {n}. {LONG}",
        options=options, lure=lure, twins=twins,
        verdicts=[
            gallery.Verdict(judge="prior", sees=False, choices=[lure] * len(twins)),
            gallery.Verdict(judge="vlm", sees=True, choices=won if n % 4 == 0 else [lure] * len(twins)),
        ],
    )  # fmt: skip


class Page:
    """What a reader sees and does."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, file, width=1280, media=()):
        phone = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": list(media)})
        self.browser.get("about:blank")
        self.browser.get(file.as_uri())

    def press(self, keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.browser).send_keys(keys).perform()

    def run(self, script, *arguments):
        return self.browser.execute_script(f"return {script}", *arguments)

    def until(self, met):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, 10, poll_frequency=0.02).until(lambda _: met())

    def one(self, selector):
        return self.browser.find_element("css selector", selector)

    def choose(self, name, text):
        from selenium.webdriver.support.ui import Select

        Select(self.one(f"#{name}")).select_by_visible_text(text)

    @property
    def focused(self):
        return self.run("document.activeElement.id")

    @property
    def count(self):
        return self.one("#count").text


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    profile = tmp_path_factory.mktemp("chromium")
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={profile}"):
        options.add_argument(word)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    out = tmp_path_factory.mktemp("gallery") / gallery.FILE
    out.write_text(gallery.page([entry(n) for n in range(60)], "a test"), encoding="utf-8")
    return out


@pytest.fixture
def page(browser, file):
    """The page, opened; at its end no error, and nothing that the policy refused, may stand in the console."""
    shown = Page(browser)
    browser.get_log("browser")
    shown.open(file)
    yield shown
    assert browser.get_log("browser") == []


def test_keys_go_from_pair_to_pair_and_the_focus_is_below_the_tools(page):
    from selenium.webdriver.common.keys import Keys

    seen = []
    for key in ("j", "j", Keys.ARROW_RIGHT, "k", Keys.ARROW_LEFT):
        page.press(key)
        seen.append(page.focused)
        top, tools = page.run("[document.activeElement.getBoundingClientRect().top, document.forms[0].offsetHeight]")
        assert top >= tools - 1
    assert seen == ["p0000", "p0001", "p0002", "p0001", "p0000"]


def test_the_last_pair_is_reached_by_the_keyboard_alone(page):
    page.press("j" * 61)
    assert page.focused == "p0059"


def test_a_pair_is_linked_by_its_name(page, file):
    page.browser.get(f"{file.as_uri()}#p0050")
    page.browser.refresh()
    assert page.focused == "p0050"
    where = "[document.activeElement.getBoundingClientRect().top, document.forms[0].offsetHeight]"
    page.until(lambda: abs(np.subtract(*page.run(where))) <= 2)


def test_a_slash_leads_to_the_search_and_escape_back_to_the_pairs(page):
    from selenium.webdriver.common.keys import Keys

    page.press("/")
    assert page.focused == "search"
    page.press("number 4. jo")
    assert page.count == "0 of 60 pairs"  # while one types, j is a letter
    page.press(Keys.BACKSPACE * 3)
    assert page.count == "6 of 60 pairs"  # 4, 14, 24, …
    page.press(Keys.ESCAPE)
    page.press("j")
    assert page.focused == "p0004"


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("family", "colour (20)", 20),
        ("direction", "other (20)", 20),
        ("frame", "neutral (60)", 60),
        ("twin", "matched (60)", 60),
        ("verdict", "every judge lured", 45),
        ("verdict", "a judge wins the pair", 15),
        ("verdict", "vlm: wins the pair", 15),
        ("verdict", "prior: lured", 60),
        ("verdict", "prior: neither", 0),
    ],
)
def test_filters_keep_what_they_say_and_the_count_is_announced(page, name, text, kept):
    page.choose(name, text)
    assert page.count == ("60 pairs" if kept == 60 else f"{kept} of 60 pairs")
    assert page.one("#count").get_attribute("aria-live") == "polite"
    assert page.run("document.querySelectorAll('article').length") <= kept
    if kept < 60:
        page.one("#everything").click()
        assert page.count == "60 pairs"


def test_o_takes_the_outlines_away_and_puts_them_back(page):
    assert page.one("article svg").is_displayed()
    page.press("o")
    assert not page.one("article svg").is_displayed()
    page.press("o")
    assert page.one("article svg").is_displayed()


def test_an_outline_lies_on_its_picture_and_reads_without_colours(page):
    image, outline = page.one(".picture img").rect, page.one(".picture svg").rect
    assert [round(image[side]) for side in image] == [round(outline[side]) for side in image]
    assert page.run("[...document.querySelectorAll('.picture path')].every(p => getComputedStyle(p).fill === 'none')")
    over = page.run("getComputedStyle(document.querySelector('.picture .over'))['stroke-dasharray']")
    under = page.run("getComputedStyle(document.querySelector('.picture .under'))['stroke-dasharray']")
    assert (over, under) == ("7px, 5px", "none")


def test_help_opens_and_closes_by_the_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    page.press("?")
    assert page.run("document.getElementById('help').open")
    page.press("j")
    assert page.run("document.getElementById('help').open")
    page.press(Keys.ESCAPE)
    assert not page.run("document.getElementById('help').open")


def test_all_that_can_be_operated_is_reached_by_tab_with_a_ring_around_it(page):
    from selenium.webdriver.common.keys import Keys

    reached = []
    for _ in range(13):
        page.press(Keys.TAB)
        reached.append(page.focused or page.run("document.activeElement.className"))
        assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached[:11] == [
        "skip", "search", "family", "direction", "frame", "twin", "verdict", "outline", "large", "print", "keys",
    ]  # fmt: skip


def test_a_question_is_never_cut_and_every_picture_is_put_into_words(page):
    assert page.one("#p0000 h2").text == f"Number 0. {LONG}".strip()
    cut = "[...document.querySelectorAll('h2')].filter(e => e.scrollHeight > e.clientHeight + 1).length"
    assert page.run(cut) == 0
    words = page.run("[...document.querySelectorAll('#p0001 img')].map(image => image.alt)")
    assert words == [f"{who} twin. What shows the answer: a thing; so {what}." for who, what in (("Stress", "no"), ("Control", "yes"))]  # fmt: skip


@pytest.mark.parametrize("width", [320, 360, 390, 768])
def test_nothing_runs_out_of_a_narrow_screen_and_twins_stay_side_by_side(page, file, width):
    page.open(file, width)
    assert page.run("document.documentElement.scrollWidth") <= width
    tops = page.run("[...document.querySelectorAll('#p0001 figure')].map(f => f.getBoundingClientRect().top)")
    assert len(set(tops)) == 1
    if width < 500:
        assert not page.one("#family").is_displayed()
        page.one("#more").click()
        assert page.one("#family").is_displayed()


def test_on_paper_there_are_the_pairs_that_were_found_and_no_tools(page):
    page.choose("family", "colour (20)")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert page.run("document.querySelectorAll('article').length") == 20
    assert not page.one("form").is_displayed()


def test_before_it_prints_every_picture_is_loaded(page):
    page.run(
        "window.print = () => { window.printed = [...document.images].map(image => image.complete && image.naturalWidth); }"
    )
    page.one("#print").click()
    page.until(lambda: page.run("window.printed"))
    assert page.run("window.printed") == [80] * page.run("pairs.flatMap(pair => pair.twins).length")


def test_the_dark_page_is_dark(page, file):
    page.open(file, media=({"name": "prefers-color-scheme", "value": "dark"},))
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"


def test_5000_pairs_are_there_at_once_and_searched_while_one_types(browser, tmp_path):
    out, page = tmp_path / gallery.FILE, Page(browser)
    out.write_text(gallery.page([entry(n) for n in range(5000)], "a test"), encoding="utf-8")
    start = time.monotonic()
    page.open(out)
    assert page.count == "5000 pairs"
    assert time.monotonic() - start < 5
    assert page.run("document.querySelectorAll('article').length") < 200
    start = time.monotonic()
    page.press("/")
    page.press("4321")
    assert page.count == "1 of 5000 pairs"
    assert time.monotonic() - start < 3
