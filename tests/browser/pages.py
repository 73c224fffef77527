"""Pages made of figures, and how long a step of each of their controls takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

STEPS = """() => {
  // A step of every slider, list and box: its handler, then the style and layout that it calls for.
  const found = [];
  for (const control of document.querySelectorAll('.cnn-figure :is(input, select)')) {
    const values = control.tagName === 'SELECT' ? [...control.options].map((one) => one.value)
      : control.type === 'checkbox' ? [0, 1]
      : Array.from({ length: Math.min(Number(control.max) - Number(control.min), 40) + 1 },
        (_, index) => String(Number(control.min) + index));
    const before = control.type === 'checkbox' ? control.checked : control.value;
    const times = [];
    for (const value of values) {
      const start = performance.now();
      if (control.type === 'checkbox') control.click();
      else {
        control.value = value;
        control.dispatchEvent(new Event(control.tagName === 'SELECT' ? 'change' : 'input'));
      }
      document.querySelector('.cnn-figure').getBoundingClientRect();
      times.push(performance.now() - start);
    }
    if (control.type !== 'checkbox') {
      control.value = before;
      control.dispatchEvent(new Event(control.tagName === 'SELECT' ? 'change' : 'input'));
    }
    found.push([control.name, times]);
  }
  return found;
}"""


@contextlib.contextmanager
def launched(program: str) -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def silent_pages(
    browser: Browser, counts: Callable[[ConsoleMessage], bool] = lambda message: True
) -> Iterator[Callable[..., Page]]:
    """Function that opens a page; in the end no page's console may have said anything that counts."""
    contexts: list[BrowserContext] = []
    heard: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if counts(message):
            heard.append(f"{message.type}: {message.text}")

    def opened(width: int = 900, theme: str = "light", **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: heard.append(f"exception: {error}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert heard == []


def page_of(*fragments: str, attributes: str = "", body: str = "") -> str:
    """A page with nothing but figures in it."""
    return (f'<!doctype html><html lang="en" {attributes}><head><meta charset="utf-8"><title>Figures</title>'
            f'<meta name="viewport" content="width=device-width"></head><body {body} style="margin: 8px"><main>'
            f"<h1>Figures</h1>{''.join(fragments)}</main></body></html>")


def step_times(page: Page) -> dict[str, list[float]]:
    """Milliseconds of the steps of each control of a page with one figure."""
    return dict(page.evaluate(STEPS))
