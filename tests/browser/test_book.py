"""The book in a browser: from a server and from a folder, by mouse and by keyboard, in the light and in the dark."""

from __future__ import annotations

from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe

from autograder.authoring.build import assignments
from autograder.book import build_book, serve
from tests.browser.pages import silent_pages
from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EXECUTED = "02-parameter-sharing"
PAGES = [*assignments(ROOT), "index", "search"]
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
PICTURES = """async () => {
  const pictures = [...document.images];
  pictures.forEach((one) => { one.loading = 'eager'; });
  await Promise.allSettled(pictures.map((one) => one.decode()));
  return pictures.map((one) => [one.naturalWidth, one.alt, one.getAttribute('src')]);
}"""


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A book with one notebook that was run. Built before the browser starts, which shares asyncio with nothing."""
    folder = tmp_path_factory.mktemp("book")
    assert build_book(ROOT, folder / "html", execute=(EXECUTED,), work=folder / "parts") == []
    return folder / "html"


@pytest.fixture(scope="session")
def address(site):
    """Where a server on loopback shows it."""
    with serve(site, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def book_page(address, browser):
    """Function that opens a page of the book and waits until its formulas are set; no page may complain."""
    # The theme logs which mode it has chosen; only what it complains of counts.
    with silent_pages(browser, lambda message: message.type in ("error", "warning")) as silent:
        def opened(name, start=address, width=900, theme="light"):
            page = silent(width, theme)
            page.asked = []
            page.on("request", lambda request: page.asked.append(request.url))
            page.goto(f"{start}{name}.html")
            page.wait_for_load_state("networkidle")
            page.evaluate("async () => { await window.MathJax?.startup?.promise; }")
            return page

        yield opened


@pytest.mark.parametrize("name", PAGES)
def test_something_is_seen_within_two_seconds_and_nothing_comes_from_elsewhere(book_page, address, name):
    painted = []
    for _ in range(2):  # the first time, the machine's disk may be slow
        page = book_page(name)
        painted.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        assert [url for url in page.asked if not url.startswith((address, "data:", "blob:"))] == []
    assert min(painted) < 2000


@pytest.mark.parametrize("name, theme", [
    *((name, theme) for name in ("index", "search", EXECUTED) for theme in ("light", "dark")), ("06-memory", "light")])
def test_no_fault_for_those_who_see_hear_or_type_otherwise(book_page, name, theme):
    page = book_page(name, theme=theme, width=1300)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.evaluate(OPEN_ALL)
    # Not preloaded: axe would look for imported style sheets beside the page.
    results = Axe().run(page, options={"preload": False})
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_screen_shows_whole_lines(book_page, name):
    page = book_page(name, width=400)
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_every_picture_is_there_and_described(book_page):
    pictures = book_page(EXECUTED).evaluate(PICTURES)
    assert len(pictures) > 10
    assert [(width, alt, source) for width, alt, source in pictures if not width or len(alt) < 20] == []


def test_formulas_are_set_in_fonts_of_the_books_own(book_page, site):
    page = book_page(EXECUTED)
    assert page.locator("mjx-container").count() > 50
    assert page.locator("mjx-merror").count() == 0
    fonts = [url for url in page.asked if url.endswith(".woff")]
    assert fonts
    assert all((site / url.split("/", 3)[3]).is_file() for url in fonts)


def test_a_solution_opens_by_keyboard_and_its_check_has_passed(book_page):
    page = book_page(EXECUTED)
    solution = page.locator("details.solution").first
    assert not solution.locator("pre").is_visible()
    solution.locator("summary").focus()
    page.keyboard.press("Enter")
    assert solution.locator("pre").is_visible()
    assert "return out_channels * rows * columns * each" in solution.inner_text()
    assert page.locator("[role=status]").first.inner_text() == "✓ sharing_parameters: all 22 cases pass."
    assert "BEGIN SOLUTION" not in page.content()


def test_mistakes_open_below_the_check(book_page):
    page = book_page(EXECUTED)
    box = page.locator("details.mistakes").first
    box.locator("summary").click()
    assert box.locator("dt").count() > 3
    assert box.locator("dd").first.is_visible()


def test_search_finds_a_mistake_by_its_words(book_page, address):
    page = book_page("index", width=1300)
    page.locator(".sidebar-primary-items__start button").first.click()
    page.keyboard.type("biases counted always")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()
    page.locator(f"#search-results li a[href^='{EXECUTED}']").first.click()
    page.wait_for_url(f"{address}{EXECUTED}.html*")


def test_everything_works_from_a_folder(book_page, site):
    page = book_page(EXECUTED, start=f"{site.as_uri()}/", theme="dark")
    assert all(url.startswith(("file:", "data:", "blob:")) for url in page.asked)
    assert page.locator("mjx-container").count() > 50
    assert all(width for width, _, _ in page.evaluate(PICTURES))
    page.goto(f"{site.as_uri()}/search.html?q=receptive")
    page.locator("#search-results li a").first.wait_for()
    page.locator("#search-results li a").first.click()
    page.wait_for_load_state("networkidle")
    assert page.url.startswith(site.as_uri())


def test_pages_follow_each_other(book_page, address):
    page = book_page("index", width=1300)
    for name in assignments(ROOT):
        page.locator("a.right-next").click()
        page.wait_for_url(f"{address}{name}.html")
    page.locator("a.left-prev").click()
    page.wait_for_url(f"{address}{assignments(ROOT)[-2]}.html")


def test_light_and_dark_can_be_chosen(book_page):
    page = book_page("index", width=1300)
    seen = {}
    for mode in ("light", "dark"):
        page.locator("button.theme-switch-button").click()
        page.locator(f"button.theme-change-button[data-mode={mode}]").click()
        seen[mode] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert seen == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 18, 18)"}
