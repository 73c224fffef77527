"""The test that tries to break out notices a hole in any of the walls."""

from __future__ import annotations

import tempfile

import pytest

from autograder.errors import SandboxUnavailableError
from autograder.sandbox import isolation, lending, syscalls, walls
from tests import needs

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("hole, what", [
    (["--ro-bind", "/etc", "/etc"], "read /etc/passwd"),
    (["--bind", "/tmp", "/tmp"], "write /tmp"),
])
def test_grading_can_be_refused_when_a_wall_has_a_hole(hole, what, monkeypatch, tmp_path):
    walls.assert_walls_hold()
    files = isolation._files
    monkeypatch.setattr(isolation, "_files", lambda limits: [*hole, *files(limits)])
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    lending.end_idle()
    try:
        with pytest.raises(SandboxUnavailableError, match=what):
            walls.assert_walls_hold()
    finally:
        lending.end_idle()


@pytest.mark.parametrize("open_call", ["ptrace", "socket", "unshare"])
def test_a_filter_that_lets_a_call_through_is_noticed(open_call, monkeypatch):
    monkeypatch.setattr(syscalls, "ALLOWED", (*syscalls.ALLOWED, open_call))
    syscalls._program.cache_clear()
    lending.end_idle()
    try:
        escaped = walls.what_gets_out()
    finally:
        syscalls._program.cache_clear()
        lending.end_idle()
    expected = {"ptrace": "trace processes", "socket": "open a socket", "unshare": "make namespaces"}
    if open_call == "unshare" and not escaped:
        needs.leave_out("rights", "without the right to make namespaces, the kernel refuses the call itself")
    assert expected[open_call] in escaped
