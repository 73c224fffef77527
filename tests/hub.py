"""A JupyterHub for tests, with the files that docs/classroom.md shows.

Each server runs in a mount namespace whose only difference is the name of its user. That is how containers look to
nbgrader: everybody is jovyan, and who it is stands in JUPYTERHUB_USER.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from autograder.sandbox.bubblewrap import find_bubblewrap
from tests.services import WAIT_SECONDS, free_port

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "classroom.md"
DOMAIN = "hub.localhost"
"""Browsers know without asking anybody that names below localhost are this machine."""
CONTAINERS_USER = "jovyan"
BLOCK = re.compile(r"^`(?P<path>/\S+)`\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def files() -> dict[str, str]:
    """The page's files by their paths."""
    return {found["path"]: found["text"] for found in BLOCK.finditer(PAGE.read_text())}


def commands(word: str) -> list[str]:
    """The page's commands with a word in them, without comments."""
    lines = [line for found in COMMANDS.finditer(PAGE.read_text()) for line in found["text"].splitlines()]
    return [" ".join(shlex.split(line, comments=True)) for line in lines if word in line]


class Hub:
    """A hub with its proxy, on loopback.

    Parameters
    ----------
    folder : Path
        Becomes the root of what the page puts into /srv/course and /home.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.log = folder / "hub.log"
        for path, text in files().items():
            target = self.place(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.translate(text))
        for command in commands("install --directory"):
            subprocess.run(shlex.split(self.translate(command)), check=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where people log in."""
        return f"http://{DOMAIN}:{self.port}"

    def place(self, path: str) -> Path:
        """Where a file that the page speaks of lies in this test."""
        return self.folder / path.lstrip("/")

    def translate(self, text: str) -> str:
        """Text of the page with this test's places in it."""
        return re.sub(r"(?<![\w/])/(srv/course|home)/", f"{self.folder}/\\1/", text)

    def server_url(self, user: str) -> str:
        """Root of a user's server."""
        return f"http://{user}.{DOMAIN}:{self.port}/user/{user}"

    def start(self) -> None:
        """Start, and wait until the login page is there."""
        environment = os.environ | {
            "HUB_TEST_FOLDER": str(self.folder), "HUB_TEST_SERVER": shlex.join(self._server()),
            "HUB_TEST_PORT": str(self.port), "HUB_TEST_API_PORT": str(free_port()),
            "HUB_TEST_PROXY_PORT": str(free_port()),
            "PYTHONPATH": str(ROOT), "CONFIGPROXY_AUTH_TOKEN": os.urandom(16).hex(),
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "--config", str(ROOT / "tests" / "hub_config.py")],
                cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            with contextlib.suppress(urllib.error.URLError, OSError), \
                    urllib.request.urlopen(f"http://127.0.0.1:{self.port}/hub/login", timeout=5):
                return
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError(f"the hub does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the hub, which ends proxy and servers."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def story(self) -> list[str]:
        """Lines of the log that tell who came, what nbgrader did, and what went wrong."""
        telling = re.compile(r"ingle-user|User logged in|Server .* is ready|Adding route|[Ww]arn|[Ee]rror|Traceback|"
                             r"/api/(assignment|feedback|submission|release|collect)|/assignments|/formgrader|grader")
        return [line for line in self.log.read_text(errors="replace").splitlines() if telling.search(line)]

    def _server(self) -> list[str]:
        """The command of a user's server."""
        accounts = self.folder / "passwd"
        accounts.write_text(f"{CONTAINERS_USER}:x:{os.getuid()}:{os.getgid()}::{self.folder}:/bin/sh\n")
        return [str(find_bubblewrap()), "--dev-bind", "/", "/", "--ro-bind", str(accounts), "/etc/passwd",
                "--die-with-parent", "--", str(Path(sys.executable).parent / "jupyterhub-singleuser")]


@contextlib.contextmanager
def jupyterhub(folder: Path) -> Iterator[Hub]:
    """A hub that is started by the test with `start` and ends with the context."""
    hub = Hub(folder)
    try:
        yield hub
    finally:
        hub.stop()
