"""A browser for the tests of a module, and pages whose console has to stay silent."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.browser.pages import launched


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium. For a module, not longer: while it runs, no other test of the process could use asyncio."""
    program = shutil.which("chromium")
    if program is None:
        missing = "there is no chromium on the path"
        if os.environ.get("CNNCOURSE_REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    with launched(program) as found:
        yield found


@pytest.fixture
def new_page(browser):
    """Function that opens a page; at the end of the test every page's console must have been silent."""
    contexts, heard = [], []

    def opened(width=900, theme="light", **options):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"exception: {error}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert heard == []
