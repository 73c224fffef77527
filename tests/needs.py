"""What some tests need of a machine: each kind is looked for, left out or demanded in this place alone.

A test says what it needs by a marker: sandbox, browser, postgresql, peer. Where that is missing, the test is left out,
and the last line of `course test` counts it. Where CNNCOURSE_REQUIRE_SANDBOX (or _BROWSER, ...) is 1, as in
continuous integration, the test fails instead.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NoReturn

import pytest

from autograder.sandbox.isolation import why_unavailable
from tests.services import find_postgresql

PEERS = ("torch",)
SLOW = "slow tests that were left out"
REASON = re.compile(r"needs (\w+): (.*)", re.DOTALL)
"""What a test that is left out says: the kind of its need, and why it is not met."""


def _no_browser() -> str:
    return "" if shutil.which("chromium") else "there is no chromium on the path"


def _no_postgresql() -> str:
    return "" if find_postgresql() else "no PostgreSQL server is installed"


def _no_peer() -> str:
    missing = [name for name in PEERS if importlib.util.find_spec(name) is None]
    return f"{', '.join(missing)} is not installed; CNNCOURSE_REQUIRE_PEER=1 brings it" if missing else ""


KINDS: dict[str, tuple[str, Callable[[], str]]] = {
    "sandbox": ("a sandbox", why_unavailable),
    "browser": ("a browser", _no_browser),
    "postgresql": ("PostgreSQL", _no_postgresql),
    "peer": ("PyTorch", _no_peer),
    "rights": ("rights that this user or machine does not have", lambda: ""),
}
"""By marker: in words, and why it is missing here, empty if it is there. `rights` show only when they are used."""


@cache
def missing(kind: str) -> str:
    """Why a need is not met here; empty if it is."""
    return KINDS[kind][1]()


def required(kind: str) -> bool:
    """Whether a test fails where this is missing."""
    return os.environ.get(f"CNNCOURSE_REQUIRE_{kind.upper()}") == "1"


def leave_out(kind: str, reason: str) -> NoReturn:
    """End the test that is running: it needs something that is not here."""
    (pytest.fail if required(kind) else pytest.skip)(f"needs {kind}: {reason}")


def meet(kinds: Iterable[str]) -> None:
    """Leave a test with these markers out if one of its needs is not met."""
    for kind in kinds:
        if kind in KINDS and (reason := missing(kind)):
            leave_out(kind, reason)


def peer(name: str) -> Any:
    """A library to compare with; where it is missing, something that modules can be collected with."""
    assert name in PEERS
    return Absent if importlib.util.find_spec(name) is None else importlib.import_module(name)


class _Anything(type):
    """A class that has any attribute and can be called, derived from and put above functions."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __call__(cls, *_: Any, **__: Any) -> Any:
        return cls


class Absent(metaclass=_Anything):
    """In place of a peer that is not installed, so that tests that need it are counted one by one."""


class LeftOut:
    """A plugin that counts the tests that did not run, and says in the last line how many there are and why."""

    def __init__(self, quick: bool) -> None:
        self._count: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}
        self._quick, self._slow = quick, 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that was skipped."""
        if report.skipped and isinstance(report.longrepr, tuple):
            self.note(report.longrepr[2])

    def note(self, reason: str) -> None:
        """A test was skipped with this reason."""
        found = REASON.search(reason)
        kind = found[1] if found and found[1] in KINDS else ""
        self._count[kind] += 1
        if found and kind:
            self._reasons.setdefault(kind, " ".join(found[2].split()))

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Tests that the quick set goes without; where several processes run the tests, each of them says it."""
        self._slow = sum(any(item.get_closest_marker(name) for name in ("slow", "sampled")) for item in items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """One of the processes that run tests has ended."""
        self._slow = getattr(node, "workeroutput", {}).get(SLOW, self._slow)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the process that started this one."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[SLOW] = self._slow

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """The last lines."""
        if not hasattr(config, "workeroutput"):
            writer = config.get_terminal_writer()
            for line in self.lines():
                writer.line(line, yellow=True)

    def lines(self) -> list[str]:
        """What did not run: slow tests, and those whose needs were not met."""
        said = []
        if self._quick:
            said.append(f"These were the quick tests. There are {self._slow} more: course test --all")
        parts = [f"{self._count[kind]} that need {words} ({self._reasons[kind]})"
                 for kind, (words, _) in KINDS.items() if self._count[kind]]
        if others := self._count[""]:
            parts.append(f"{others} for reasons listed above")
        return [*said, f"LEFT OUT: {'; '.join(parts)}"] if parts else said
