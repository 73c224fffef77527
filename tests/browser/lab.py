"""JupyterLab as `course lab` starts it, in a browser."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page

from tests.conftest import ROOT
from tests.services import free_port

TOKEN = "of-the-test"
PATIENCE = 120_000.0
"""Milliseconds until something is there, on a machine where others work as well."""


class Lab:
    """A running `course lab`.

    Attributes
    ----------
    began : float
        When the command was given, as `time.monotonic` counts.
    """

    def __init__(self, port: int, began: float) -> None:
        self.address, self.began = f"http://127.0.0.1:{port}", began

    def opened(self, browser: Browser, theme: str = "Light") -> Page:
        """JupyterLab in a window of its own."""
        context = browser.new_context(viewport={"width": 1300, "height": 1000})
        settings = f"{self.address}/lab/api/settings/@jupyterlab/apputils-extension:themes"
        context.request.put(settings, headers={"Authorization": f"token {TOKEN}"},
                            data={"raw": f'{{"theme": "JupyterLab {theme}"}}'})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{self.address}/lab?token={TOKEN}")
        return page


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[Lab]:
    """`course lab` with progress, settings and layout in a folder, until the end of the block.

    Parameters
    ----------
    folder : Path
        For everything that JupyterLab and the course keep.
    *options : str
        Of `course lab`.
    """
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    own = {"CNNCOURSE_STATE": folder, "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
           "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces"}
    began = time.monotonic()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "autograder.cli", "lab", *options, "--", "--no-browser", "--allow-root",
             f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"],
            cwd=ROOT, env=os.environ | {name: str(path) for name, path in own.items()}, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True)
        try:
            while not _answers(port):
                if process.poll() is not None or time.monotonic() - began > PATIENCE / 1000:
                    raise RuntimeError(f"JupyterLab did not start:\n{(folder / 'log').read_text()}")
                time.sleep(0.02)
            yield Lab(port, began)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def start_page(page: Page) -> Locator:
    """The start page, once it says something."""
    found = page.locator(".cnncourse-page")
    found.wait_for()
    return found


def menu(page: Page, name: str) -> Locator:
    """A menu of JupyterLab's bar."""
    return page.get_by_role("menubar").get_by_text(name, exact=True)


def choose(page: Page, name: str, entry: str) -> None:
    """Choose an entry of a menu."""
    menu(page, name).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def wait_for_kernel(page: Page) -> None:
    """Wait until the kernel of the notebook in front has nothing to do."""
    page.locator("#jp-main-statusbar").get_by_text("Python 3 (ipykernel) | Idle").wait_for()
