"""What all tests share: where the course is, what the machine lacks, which tests are quick, which share a process."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from autograder.configuration import make_gradebooks_anywhere
from autograder.sandbox import isolation
from cnncourse import processors
from cnncourse.warming import warm
from tests import effort, needs, shared

ROOT = Path(__file__).resolve().parent.parent
PROCESS_BYTES = 3 << 29
"""What one of several processes takes that run tests, with what its tests start: 1.5 GiB."""
CHEAP = {"root", "tmp_path_factory", "testrun_uid", "worker_id"}
"""Fixtures for more than one test that take no time; all others keep the tests that use them in one process."""

make_gradebooks_anywhere()


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """A student's progress is kept in a folder of the test's own."""
    monkeypatch.setenv("CNNCOURSE_STATE", str(tmp_path / "state"))


@pytest.fixture(params=list(isolation.WAYS))
def each_way(request, monkeypatch):
    """One way to isolate after the other, as if there were no other."""
    if reason := isolation.why_not(request.param):
        needs.leave_out("sandbox", reason)
    monkeypatch.setattr(isolation, "WAYS", {request.param: isolation.WAYS[request.param]})
    return request.param


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true",
                     help="leave out slow tests, unless tests are chosen by path, -k or -m")


@pytest.hookimpl(optionalhook=True)  # where tests are started without pytest-xdist
def pytest_xdist_auto_num_workers(config):
    """One process for each processor that may be used, as far as memory goes."""
    return max(1, min(processors.available(), psutil.virtual_memory().available // PROCESS_BYTES))


def pytest_configure(config):
    chosen = config.args_source is config.ArgsSource.ARGS or config.option.keyword or config.option.markexpr
    os.environ.setdefault(effort.VARIABLE, "chosen" if chosen else "quick" if config.option.quick else "all")
    shared.prepare()
    config.pluginmanager.register(needs.LeftOut(effort.quick()))


def pytest_sessionstart(session):
    """Where several processes are about to run all tests, they first compile the kernels, each a part of them."""
    own = getattr(session.config, "workerinput", None)
    if own and effort.whole():
        warm(begin=int(own["workerid"].removeprefix("gw")) / own["workercount"])


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups when its turn comes
def pytest_collection_modifyitems(config, items):
    """Tests that share something built run in one process; what is slow begins first, or is left out."""
    if effort.quick() and (slow := effort.left_to_all(items)):
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=list(slow))
        if untouched := {_module(item) for item in slow} - {_module(item) for item in items} - effort.ALL_SLOW:
            raise pytest.UsageError(f"the quick set has no test of {', '.join(sorted(untouched))}")
    units = {item: _shared(item) or item for item in items}
    first = {unit for item, unit in units.items() if item.get_closest_marker("slow")}
    items.sort(key=lambda item: units[item] not in first)
    for item, unit in units.items():
        if unit is not item:
            item.add_marker(pytest.mark.xdist_group(unit))


def _shared(item) -> str:
    """The module whose fixtures a test shares with others; empty if it shares nothing that takes time to make."""
    for name, found in item._fixtureinfo.name2fixturedefs.items():
        if found[-1].scope in ("module", "session") and name not in CHEAP:
            return _module(item)
    return ""


def _module(item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """A test whose needs are not met is left out, or fails where the machine has to meet them."""
    needs.meet(marker.name for marker in item.iter_markers())
