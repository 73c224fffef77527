"""Control groups: where they are found, what they are told, and that they go away again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from autograder.sandbox import cgroups, isolation, lending
from autograder.sandbox.cgroups import Group
from autograder.sandbox.isolation import Limits
from autograder.sandbox.session import Cell, SandboxRunner
from tests import needs


class Machine:
    """A folder that looks like /sys/fs/cgroup, and the two files that say where this process is in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "cgroup"
        self.mounts, self.membership = folder / "mounts", folder / "membership"
        self.mounts.write_text(f"proc /proc proc rw 0 0\ncgroup2 {self.root} cgroup2 rw,nosuid 0 0\n")

    def has(self, path: str, controllers: str) -> Path:
        """A group of this path, which hands on these controllers; this process is in it."""
        group = self.root / path
        group.mkdir(parents=True, exist_ok=True)
        (group / "cgroup.subtree_control").write_text(controllers)
        self.membership.write_text(f"4:memory:/old\n0::/{path}\n")
        return group

    def parent(self) -> Path | None:
        return cgroups.parent.__wrapped__(self.mounts, self.membership)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    # The kernel removes a group's files together with the group.
    monkeypatch.setattr(Path, "rmdir", shutil.rmtree)
    return Machine(tmp_path)


def test_the_nearest_group_that_hands_on_both_controllers_is_taken(machine):
    machine.has("", "cpu memory pids")
    expected = machine.has("user.slice", "memory pids")
    machine.has("user.slice/one.scope", "")
    assert machine.parent() == expected


def test_our_own_group_is_never_looked_for_above_the_mount(machine):
    machine.has("user.slice", "memory")
    (machine.root.parent / "cgroup.subtree_control").write_text("memory pids")
    assert machine.parent() is None


@pytest.mark.parametrize("missing", ["mounts", "membership"])
def test_a_machine_without_version_2_has_none(machine, missing):
    machine.has("", "memory pids")
    getattr(machine, missing).write_text("4:memory:/old\n")
    assert machine.parent() is None


def test_a_group_that_cannot_be_entered_is_not_taken(machine, monkeypatch):
    machine.has("", "memory pids")
    monkeypatch.setattr(cgroups, "ENTER", "exit 2")
    assert machine.parent() is None
    assert not list(machine.root.glob("course-sandbox-*"))


def test_a_group_that_may_not_be_written_to_is_not_taken(machine):
    if os.getuid() == 0:
        needs.leave_out("rights", "root may write everywhere")
    machine.has("", "memory pids").chmod(0o555)
    assert machine.parent() is None


def test_a_group_is_told_the_limits_and_removed(machine):
    group = Group(machine.has("", "memory pids"), 1000, 40)
    assert (group.path / "memory.max").read_text() == "1000"
    assert (group.path / "pids.max").read_text() == str(40 + cgroups.OF_BUBBLEWRAP)
    assert (group.path / "memory.swap.max").read_text() == "0"
    group.remove()
    assert not group.path.exists()


def test_empty_groups_of_processes_that_are_gone_are_removed_and_others_kept(machine):
    root = machine.has("", "memory pids")
    gone = subprocess.Popen(["true"])
    gone.wait()
    for process in (gone.pid, os.getpid()):
        (root / f"course-sandbox-{process}-7").mkdir()
    assert machine.parent() == root
    assert [path.name for path in root.glob("course-sandbox-*")] == [f"course-sandbox-{os.getpid()}-7"]


@pytest.mark.sandbox
def test_a_sandbox_enters_its_group_before_it_starts_and_takes_it_along_when_it_ends(machine, monkeypatch):
    root = machine.has("", "memory pids")
    monkeypatch.setattr(cgroups, "parent", lambda: root)
    limits = Limits(total_seconds=63.0)
    sandbox = lending.Sandbox(limits, isolation.choose().way)
    (group,) = root.glob("course-sandbox-*")
    tenant = sandbox.lend()
    assert tenant is not None
    assert (group / "cgroup.procs").read_text() == "0\n"
    assert int((group / "memory.max").read_text()) == limits.memory_bytes + limits.scratch_bytes
    tenant.end()
    sandbox.kill()
    assert not group.exists()


def _real_mount() -> Path | None:
    lines = Path("/proc/self/mounts").read_text().splitlines() if Path("/proc/self/mounts").exists() else []
    return next((Path(line.split()[1]) for line in lines if line.split()[2] == "cgroup2"
                 and os.access(line.split()[1], os.W_OK)), None)


@pytest.mark.sandbox
def test_the_kernel_puts_all_of_a_sandbox_into_its_group_and_ends_it_with_the_group():
    mount = _real_mount()
    if mount is None:
        needs.leave_out("rights", "no control groups of version 2 may be made here")
    group = object.__new__(Group)  # without limits: the controllers may belong to version 1 here
    group.path = mount / f"course-sandbox-{os.getpid()}-test"
    group.path.mkdir()
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = isolation.WAYS["bubblewrap"].start(Limits(), group, stdin=theirs, stdout=subprocess.DEVNULL).process
    try:
        inside: list[str] = []
        deadline = time.monotonic() + 5
        while len(inside) < 2 and process.poll() is None and time.monotonic() < deadline:
            inside = (group.path / "cgroup.procs").read_text().split()
        assert str(process.pid) in inside and len(inside) > 1
        group.remove()
        assert not group.path.exists()
        assert process.wait(5) != 0
    finally:
        process.kill()
        process.wait()
        group.remove()
        control.close()
        theirs.close()


@pytest.mark.sandbox
def test_the_memory_of_all_processes_of_a_submission_together_is_limited():
    if cgroups.parent() is None:
        needs.leave_out("rights", "no group with limits can be made here")
    source = ("import os, time\ndef f(x):\n    for _ in range(4):\n        if os.fork() == 0:\n"
              "            kept = bytearray(os.urandom(1 << 20) * 100)\n            time.sleep(5)\n"
              "            os._exit(0)\n    return sum(os.wait()[1] == 0 for _ in range(4))")
    with SandboxRunner([Cell("f", source)], Limits(memory_bytes=256 << 20, call_seconds=9.0)) as runner:
        outcome = runner.call("f", (1,))
    assert outcome.ending != "value" or outcome.value < 4
