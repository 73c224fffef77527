"""Tests whose needs are not met are left out loudly, or fail where the machine has to meet them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import needs
from tests.needs import Absent, LeftOut


def run(root, **environment: str) -> subprocess.CompletedProcess:
    """One test that needs a browser, on a machine without programs."""
    known = {name: value for name, value in os.environ.items()
             if not name.startswith(("PYTEST", "CNNCOURSE_REQUIRE")) and name != "CNNCOURSE_TESTS"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/browser/test_widgets.py", "-k",
               "without_scripts"]
    return subprocess.run(command, cwd=root, env=known | {"PATH": ""} | environment, capture_output=True, text=True,
                          check=False)


def test_what_was_left_out_is_counted_in_the_last_line(root):
    ran = run(root)
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1] == "LEFT OUT: 1 that need a browser (there is no chromium on the path)"


def test_where_a_need_has_to_be_met_the_test_fails(root):
    ran = run(root, CNNCOURSE_REQUIRE_BROWSER="1")
    assert ran.returncode == 1
    assert "needs browser: there is no chromium on the path" in ran.stdout
    assert "LEFT OUT" not in ran.stdout


def test_each_kind_is_counted_with_its_reason_and_other_skips_too():
    left_out = LeftOut(quick=False)
    assert left_out.lines() == []
    for reason in ("needs sandbox: no\n walls", "needs sandbox: no walls", "needs peer: no torch", "this is Windows"):
        left_out.note(f"Skipped: {reason}")
    assert left_out.lines() == ["LEFT OUT: 2 that need a sandbox (no walls); 1 that need PyTorch (no torch); "
                                "1 for reasons listed above"]


@pytest.mark.parametrize("kind", needs.KINDS)
def test_every_kind_is_a_marker_or_told_by_the_test_itself(kind, pytestconfig):
    markers = {line.split(":")[0] for line in pytestconfig.getini("markers")}
    assert (kind in markers) == (kind != "rights")


def test_modules_can_be_collected_without_a_peer():
    class Module(Absent.nn.Module):
        @Absent.no_grad()
        def forward(self):
            return Absent.float32

    assert issubclass(Module, Absent)
    assert Absent.tensor([1]) is Absent
    assert not hasattr(Absent, "__wrapped__")
