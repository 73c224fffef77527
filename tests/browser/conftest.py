"""A browser for the tests of a module, and pages whose console has to stay silent."""

from __future__ import annotations

import shutil

import pytest

from tests.browser.pages import launched, silent_pages


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium. For a module, not longer: while it runs, no other test of the process could use asyncio."""
    with launched(shutil.which("chromium")) as found:
        yield found


@pytest.fixture
def new_page(browser):
    """Function that opens a page; at the end of the test every page's console must have been silent."""
    with silent_pages(browser) as opened:
        yield opened
