"""The test that tries to break out notices a hole in any of the walls."""

from __future__ import annotations

import tempfile
from dataclasses import replace

import pytest

from autograder.errors import SandboxUnavailableError
from autograder.sandbox import bubblewrap, isolation, landlock, lending, syscalls, walls
from tests import needs

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("hole, what", [
    (["--ro-bind", "/etc", "/etc"], "read /etc/passwd"),
    (["--bind", "/tmp", "/tmp"], "write /tmp"),
])
def test_grading_is_refused_when_a_wall_of_the_first_way_has_a_hole(hole, what, monkeypatch, tmp_path):
    walls.assert_walls_hold("bubblewrap")
    files = bubblewrap._files
    monkeypatch.setattr(bubblewrap, "_files", lambda limits: [*hole, *files(limits)])
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    lending.end_idle()
    try:
        with pytest.raises(SandboxUnavailableError, match=what):
            walls.assert_walls_hold("bubblewrap")
    finally:
        lending.end_idle()


@pytest.mark.parametrize("right, what", [(landlock.READ_FILE, "read /etc/passwd"), (landlock.READ_DIR, "read /home")])
def test_grading_is_refused_when_the_rules_of_the_second_way_have_a_hole(right, what, monkeypatch):
    if reason := isolation.why_not("landlock"):
        needs.leave_out("sandbox", reason)
    walls.assert_walls_hold("landlock")
    rules = landlock._rules
    monkeypatch.setattr(landlock, "_rules", lambda *folders: replace(
        rules(*folders), allowed=(*rules(*folders).allowed, ("/", right))))
    lending.end_idle()
    try:
        with pytest.raises(SandboxUnavailableError, match=what):
            walls.assert_walls_hold("landlock")
    finally:
        lending.end_idle()


HOLES = {
    "ptrace": "trace processes", "socket": "open a socket", "unshare": "make namespaces",
    "prlimit64": "set limits of the process above", "setpriority": "slow down the process above",
    "sched_setaffinity": "move the process above", "kill": "signal the process above",
}


@pytest.mark.parametrize("open_call", HOLES)
def test_a_filter_that_lets_a_call_through_is_noticed(open_call, monkeypatch, each_way):
    """Each fork is a user of its own where root grades; without that, and without this call's conditions."""
    others = tuple(call for call in syscalls.CALLS if call.name != open_call)
    monkeypatch.setattr(syscalls, "CALLS", (*others, syscalls.Call(open_call)))
    monkeypatch.setattr(syscalls, "SIGNALS", tuple(name for name in syscalls.SIGNALS if name != open_call))
    monkeypatch.setattr(landlock, "handled", lambda version, real=landlock.handled: (*real(version)[:2], 0))
    for module in (bubblewrap, landlock):
        monkeypatch.setattr(module, "fresh_uids", lambda *capabilities: 0)
    syscalls.programs.cache_clear()
    lending.end_idle()
    try:
        escaped = walls.what_gets_out()
    finally:
        syscalls.programs.cache_clear()
        lending.end_idle()
    if open_call == "unshare" and not escaped:
        needs.leave_out("rights", "without the right to make namespaces, the kernel refuses the call itself")
    assert HOLES[open_call] in escaped
