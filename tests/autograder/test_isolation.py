"""Two ways to isolate: which one is taken, on machines of many kinds, what it promises there, and that it says so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from autograder.errors import SandboxUnavailableError
from autograder.sandbox import isolation, landlock, lending, settings, syscalls, walls
from autograder.sandbox.session import Cell, SandboxRunner
from tests import machine
from tests.classroom import ASSIGNMENT, Classroom

pytestmark = pytest.mark.sandbox
needs_root = pytest.mark.skipif(bool(machine.why_not_played()), reason=machine.why_not_played())
ON_A_MACHINE = """
import json, os, sys
from random import Random
from autograder.sandbox import isolation, walls
from autograder.sandbox.isolation import Limits
from autograder.sandbox.session import Cell, SandboxRunner
from tests.attacks import neighbors

def seen():
    with SandboxRunner([Cell("look", neighbors.LOOK)], sandbox=way) as runner:
        return dict(runner.call("look", (1,)).value)

asked = sys.argv[1]
chosen = isolation.choose(asked)
way = chosen.way.name
with SandboxRunner([Cell("f", "import os\\ndef f(x): return os.getuid(), os.access('/etc/passwd', os.F_OK)")],
                   sandbox=asked) as runner:
    uid, _ = runner.call("f", (1,)).value
alone = seen()
for seed in range(6):
    with SandboxRunner([Cell("f", neighbors.draw(Random(seed), 10))], Limits(2, 1, 20), sandbox=way) as runner:
        for _ in runner.calls("f", [(i,) for i in range(4)]): pass
changed = {name: (alone[name], now) for name, now in seen().items() if alone[name] != now}
print(json.dumps({"way": way, "why": chosen.why, "own user": uid not in (0, os.getuid()),
                  "escaped": walls.what_gets_out(way), "changed": changed}))
"""


def on(played: machine.Machine, asked: str, root: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root)}
    return played.run([sys.executable, "-c", ON_A_MACHINE, asked], sys.base_prefix, sys.prefix, root,
                      environment=environment)


@needs_root
@pytest.mark.parametrize("asked", ["auto", "landlock"])
@pytest.mark.parametrize("played", machine.MACHINES, ids=str)
def test_on_every_machine_a_way_is_found_that_holds(played, asked, root):
    ran = on(played, asked, root)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    first = "bubblewrap" if played.namespaces and asked == "auto" else "landlock"
    assert (found["way"], found["escaped"], found["changed"]) == (first, "", {})
    if asked == "auto":
        assert ("namespace" in found["why"]) is (not played.namespaces)
    if not played.ordinary and played.namespaces:
        assert found["own user"]


@needs_root
@pytest.mark.parametrize("played", [one for one in machine.MACHINES if not one.namespaces], ids=str)
def test_the_first_way_is_refused_and_not_replaced_where_it_was_asked_for(played, root):
    ran = on(played, "bubblewrap", root)
    assert ran.returncode != 0
    assert "could not start a sandbox" in ran.stderr
    assert not ran.stdout


@pytest.mark.parametrize("version", landlock.VERSIONS)
@pytest.mark.parametrize("own_users", [True, False])
def test_what_older_versions_of_landlock_do_not_hold_is_held_by_the_filter(version, own_users, monkeypatch):
    if landlock.version() < version:
        pytest.skip(f"this kernel has version {landlock.version()}")
    if own_users and not settings.fresh_uids():
        pytest.skip("this user may not choose others")
    monkeypatch.setattr(landlock, "version", lambda: version)
    if not own_users:
        monkeypatch.setattr(landlock, "fresh_uids", lambda *capabilities: 0)
    lending.end_idle()
    try:
        assert walls.what_gets_out("landlock") == ""
        with SandboxRunner([Cell("f", EMPTYING)], sandbox="landlock") as runner:
            assert runner.call("f", (str(Path(landlock.__file__)),)).value == ((), True)
    finally:
        lending.end_idle()


EMPTYING = """
import os, numpy, ctypes
libc = ctypes.CDLL(None, use_errno=True)
def f(other):
    worked = []
    for path in (other, numpy.__file__, os.__file__):
        for flags in (os.O_RDONLY | os.O_TRUNC, os.O_WRONLY, os.O_RDWR | os.O_TRUNC, 3 | os.O_TRUNC):
            try: os.open(path, flags)
            except OSError: continue
            worked.append((path, flags))
        if libc.truncate(path.encode(), 0) == 0: worked.append((path, "truncate"))
    os.makedirs("a/b")
    with open("a/x", "w") as file: file.write("text")
    os.rename("a/x", "a/y")
    with open("a/y", "w") as file: file.write("other")
    return tuple(worked), open("a/y").read() == "other"
"""


@pytest.mark.parametrize("users, groups, block", [
    ("0 0 4294967295", "0 0 4294967295", (1 << 28, 1 << 29)),
    ("0 100000 65536", "0 100000 65536", (65536 - 4 * 4096, 65536)),
    ("0 1000 1\n1 100000 65536", "0 0 4294967295", (65537 - 4 * 4096, 65537)),
    ("0 0 4294967295", "0 1000 1", None),
])
def test_users_of_their_own_are_those_that_this_machine_maps(users, groups, block, tmp_path):
    """In a container few numbers are mapped, or one; then there is no block, and forks share a user."""
    (tmp_path / "users").write_text(users + "\n")
    (tmp_path / "groups").write_text(groups + "\n")
    first, last = settings._mapped_block.__wrapped__((tmp_path / "users", tmp_path / "groups"))
    if block is None:
        assert last - first < settings.UIDS_OF_A_SANDBOX
    else:
        assert (first, last) == block


@pytest.mark.parametrize("closed, readable", [
    ("", True), ("packages", False), ("packages/numpy", False), ("scratch", True)])
def test_root_lets_forks_read_more_than_their_user_may_only_where_they_need_it(closed, readable, tmp_path):
    (tmp_path / "packages" / "numpy").mkdir(parents=True)
    (tmp_path / "scratch").mkdir(mode=0o700)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 1:
            pytest.skip(f"{folder} is closed on this machine") if os.getuid() else folder.chmod(0o755)
    if closed:
        (tmp_path / closed).chmod(0o700)
    paths = [str(tmp_path / "packages" / "numpy"), str(tmp_path / "scratch")]
    assert landlock._open_to_all(paths, tmp_path / "scratch") is readable


def test_the_second_way_starts_no_program_and_opens_nothing_below_proc():
    if reason := isolation.why_not("landlock"):
        pytest.skip(reason)
    source = """
import os, subprocess, sys
def f(x):
    worked = []
    for program in (sys.executable, "/bin/sh", "/usr/bin/env", "/lib64/ld-linux-x86-64.so.2"):
        try: worked.append(subprocess.run([program]).returncode)
        except OSError: pass
    for name in ("self/status", "self/maps", "1/stat", "cpuinfo", "sys/kernel/hostname", ""):
        try: worked.append(os.open(f"/proc/{name}", os.O_RDONLY))
        except OSError: pass
    for number in (1, os.getppid()):
        try: worked.append(os.readlink(f"/proc/{number}/cwd"))
        except OSError: pass
    return tuple(worked)
"""
    with SandboxRunner([Cell("f", source)], sandbox="landlock") as runner:
        assert runner.call("f", (1,)).value == ()


def test_the_configuration_says_which_way_is_taken(root, tmp_path):
    if reason := isolation.why_not("landlock"):
        pytest.skip(reason)
    classroom = Classroom(root, tmp_path / "class")
    with (classroom.folder / "nbgrader_config.py").open("a") as file:
        file.write("c = get_config()\nc.JudgeAnswers.sandbox = 'landlock'\n")
    classroom.hand_in("ada", classroom.solved())
    said: list[str] = []
    assert classroom.grade("ada", on_isolated=said.append)["ada"].status == "graded"
    described = isolation.WAYS["landlock"].describe()
    assert said == [f"{described} (asked for)"]
    assert classroom.autograded("ada").metadata["cnncourse"]["isolated"] == described


def test_where_the_kernel_cannot_ask_signals_are_refused_and_the_second_way_is_not_taken(monkeypatch):
    if reason := isolation.why_not("bubblewrap"):
        pytest.skip(reason)
    real = syscalls._asking
    monkeypatch.setattr(syscalls, "_asking", lambda counts: b"")
    syscalls.programs.cache_clear()
    isolation.why_not.cache_clear()
    lending.end_idle()
    try:
        assert "watching system calls" in isolation.why_not("landlock")
        with SandboxRunner([Cell("f", SIGNALS)], sandbox="bubblewrap") as runner:
            assert runner.call("f", (1,)).value == ("PermissionError", "PermissionError", "PermissionError", "none")
    finally:
        monkeypatch.setattr(syscalls, "_asking", real)
        syscalls.programs.cache_clear()
        isolation.why_not.cache_clear()
        lending.end_idle()


SIGNALS = """
import os
lender = os.getppid()
def tried(target):
    try: os.kill(target, 0)
    except OSError as error: return type(error).__name__
    return "none"
def f(x): return tried(lender), tried(-1), tried(1), tried(0)
"""


def test_an_unknown_way_is_refused_by_name():
    with pytest.raises(SandboxUnavailableError, match="auto, bubblewrap, landlock"):
        isolation.choose("prison")


@pytest.mark.skipif(bool(isolation.why_not("landlock")), reason=isolation.why_not("landlock"))
@pytest.mark.parametrize("whom", ["judge", "lender", "both"])
def test_nothing_outlives_a_judge_or_a_lender_that_is_killed(whom):
    """Without namespaces nobody but us ends what a submission has started."""
    program = ("import sys, time\nfrom autograder.sandbox.session import Cell, SandboxRunner\n"
               "source = 'import os, time\\nif os.fork() == 0:\\n    while True: time.sleep(0.1)\\n"
               "def f(x): time.sleep(60)'\n"
               "with SandboxRunner([Cell('f', source)], sandbox='landlock') as runner:\n"
               "    print(runner._tenant._on_end.__self__._started.process.pid, flush=True)\n"
               "    runner.call('f', (1,))\n")
    judge = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert judge.stdout is not None
    lender = psutil.Process(int(judge.stdout.readline()))
    deadline = time.monotonic() + 10
    while len(family := lender.children(recursive=True)) < 3:  # the cells' process, the answer's, the daemon
        assert time.monotonic() < deadline, family
        time.sleep(0.01)
    if whom != "judge":
        lender.kill()
    if whom != "lender":
        judge.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    for one in alive:
        one.kill()
    judge.kill()
    judge.wait()
    judge.stdout.close()
    assert not alive


@pytest.mark.skipif(bool(isolation.why_not("landlock")), reason=isolation.why_not("landlock"))
def test_folders_of_judges_that_were_killed_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    for number in (gone.pid, os.getpid()):
        (tmp_path / f"{landlock.PREFIX}{number}-x" / "scratch").mkdir(parents=True)
    landlock._remove_left_over()
    assert [path.name for path in tmp_path.iterdir()] == [f"{landlock.PREFIX}{os.getpid()}-x"]


@pytest.mark.parametrize("way", isolation.WAYS)
def test_a_run_says_and_keeps_how_it_isolated(way, root, tmp_path):
    if reason := isolation.why_not(way):
        pytest.skip(reason)
    classroom = Classroom(root, tmp_path / "class")
    classroom.hand_in("ada", classroom.solved())
    ran = subprocess.run([sys.executable, "-m", "autograder.cli", "grade", ASSIGNMENT, "--sandbox", way, "--course",
                          str(classroom.folder)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    described = isolation.WAYS[way].describe()
    printed = re.sub(r"\s+", "", ran.stdout)
    assert f"isolatedby{described}".replace(" ", "") in printed
    assert described in (classroom.folder / "grading.log").read_text()
    assert classroom.autograded("ada").metadata["cnncourse"]["isolated"] == described


def test_a_worker_takes_no_other_way_than_the_command_has_chosen(root, tmp_path, monkeypatch):
    """A machine of a cluster on which bubblewrap cannot start, although the command's own machine has it."""
    classroom = Classroom(root, tmp_path / "class")
    classroom.hand_in("ada", classroom.solved())
    if isolation.choose().way.name != "bubblewrap":
        pytest.skip("bubblewrap cannot start here")
    real = isolation.why_not
    checked: list[str] = []

    def once(name: str) -> str:
        checked.append(name)
        return real(name) if len(checked) < 3 else "not on this machine"

    monkeypatch.setattr(isolation, "why_not", once)
    report = classroom.grade()["ada"]
    assert report.status == "failed"
    assert "not on this machine" in " ".join(report.problems)
    assert set(checked) == {"bubblewrap"}
