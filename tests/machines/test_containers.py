"""Containers, and machines on which one bubblewrap starts and another one does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from autograder.sandbox import bubblewrap
from autograder.sandbox.session import Cell, SandboxRunner
from autograder.sandbox.settings import Limits
from tests import machine

pytestmark = pytest.mark.sandbox
needs_root = pytest.mark.skipif(bool(machine.why_not_played()), reason=machine.why_not_played())
OF_DOCKER = ("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service",
             "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap")
"""The capabilities that Docker leaves to root."""
IN_A_CONTAINER = """
import json
from autograder.sandbox import isolation, walls
from autograder.sandbox.session import Cell, SandboxRunner

way = isolation.choose().way.name
with SandboxRunner([Cell("f", "import numpy as np\\ndef f(x): return np.sum(x) + 1")], sandbox=way) as runner:
    value = float(runner.call("f", (3.0,)).value)
print(json.dumps({"way": way, "value": value, "escaped": walls.what_gets_out(way)}))
"""
REFUSED = """
import sys
from autograder.sandbox import isolation
isolation.WAYS = {}
from autograder.cli import main
sys.argv = ["course", *sys.argv[1:]]
main()
"""


def starting(path, version: str, starts: bool):
    """A program called bwrap that says a version, and hands on to the real one or fails as AppArmor makes it fail."""
    path.parent.mkdir(parents=True)
    real = bubblewrap.find_bubblewrap()
    otherwise = f'exec "{real}" "$@"' if starts else 'echo "bwrap: setting up uid map: Permission denied" >&2; exit 1'
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "bubblewrap {version}" && exit\n{otherwise}\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def forgetful():
    """What was found out about this machine is found out again, before and after."""
    found_out = (bubblewrap.find_bubblewrap, bubblewrap._why_unavailable, bubblewrap._complaint)
    for function in found_out:
        function.cache_clear()
    yield
    for function in found_out:
        function.cache_clear()


@needs_root
def test_root_of_a_container_that_may_make_user_namespaces_is_isolated_by_them(root):
    """As with seccomp=unconfined: every capability but those that Docker leaves is gone."""
    kept = "-all," + ",".join(f"+{name}" for name in OF_DOCKER)
    ran = subprocess.run(["setpriv", "--inh-caps=-all", f"--bounding-set={kept}", sys.executable, "-c", IN_A_CONTAINER],
                         env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"way": "bubblewrap", "value": 4.0, "escaped": ""}


@pytest.mark.parametrize("newest_starts", [True, False])
def test_the_bubblewrap_that_starts_is_taken_and_of_several_the_newest(newest_starts, tmp_path, monkeypatch, forgetful):
    ours = starting(tmp_path / "bin" / "bwrap", "99.0.0", newest_starts)
    bubblewrap.find_bubblewrap.cache_clear()
    monkeypatch.setenv("PATH", f"{ours.parent}:{os.environ['PATH']}")
    assert (bubblewrap.find_bubblewrap() == ours) == newest_starts
    assert bubblewrap._why_unavailable() == ""


def test_where_none_starts_the_newest_one_and_its_complaint_are_named(tmp_path, monkeypatch, forgetful):
    ours = starting(tmp_path / "bin" / "bwrap", "99.0.0", False)
    bubblewrap.find_bubblewrap.cache_clear()
    monkeypatch.setenv("PATH", str(ours.parent))
    monkeypatch.setattr(bubblewrap.importlib.metadata, "distribution", missing)
    assert bubblewrap.find_bubblewrap() == ours
    assert f"({ours})" in bubblewrap._why_unavailable() and "Permission denied" in bubblewrap._why_unavailable()


def missing(name: str):
    raise bubblewrap.importlib.metadata.PackageNotFoundError(name)


def test_where_nothing_isolates_the_command_names_the_way_without(root, tmp_path):
    ran = subprocess.run([sys.executable, "-c", REFUSED, "demo", "--folder", str(tmp_path / "demo")], cwd=tmp_path,
                         env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "--trust-submissions" in ran.stdout and "Traceback" not in ran.stdout + ran.stderr


def test_only_the_submissions_own_time_counts():
    """Kernels that the judge compiles, a machine that is busy elsewhere: nobody pays for them."""
    with SandboxRunner([Cell("f", "def f(x): return x")], Limits(total_seconds=2.0)) as runner:
        time.sleep(2.5)
        assert runner.call("f", (1,)).ending == "value"
        kinds = []
        for outcome in runner.calls("f", [(1,), (2,)]):
            time.sleep(2.5)
            kinds.append(outcome.ending)
    assert kinds == ["value", "value"]
