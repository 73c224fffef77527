"""Nothing that a submission does is seen by the next one, in either way to isolate."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from random import Random

import numpy as np
import psutil
import pytest

from autograder.errors import SandboxLostError
from autograder.sandbox import isolation, lending, session, settings
from autograder.sandbox.isolation import Limits
from autograder.sandbox.session import Cell, SandboxRunner
from tests import needs
from tests.attacks import neighbors

pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("each_way")]
QUICK = Limits(cell_seconds=3.0, call_seconds=3.0, total_seconds=30.0)
HASTY = Limits(cell_seconds=1.0, call_seconds=0.5, total_seconds=30.0)
DRAWS = int(os.environ.get("CNNCOURSE_DRAWS", "80"))
"""Changes that are drawn for each way; a class of attackers has ten of them each."""
AT_ONCE = 10


def attack(source: str, limits: Limits = QUICK) -> None:
    """Run strangers' code, whatever becomes of it."""
    with SandboxRunner([Cell("f", source)], limits) as runner:
        for _ in runner.calls("f", [(i,) for i in range(4)]):
            pass


def seen(limits: Limits = QUICK) -> dict[str, object]:
    """All that an honest submission sees, and what it gets."""
    x = np.arange(200.0)
    with SandboxRunner([Cell("look", neighbors.LOOK)], limits) as runner:
        outcomes = {name: runner.call(name, (x,)) for name in ("look", "again", "f")}
        assert all(outcome.ending == "value" for outcome in outcomes.values()), (outcomes, runner.problems)
        found = {f"{name}: {key}": value for name in ("look", "again") for key, value in outcomes[name].value}
        return found | {"f": float(outcomes["f"].value)}


@pytest.fixture
def alone(each_way):
    """What is seen where nobody was before; an attacker comes next, in a new sandbox."""
    lending.end_idle()
    if each_way not in _ALONE:
        _ALONE[each_way] = seen()
        lending.end_idle()
    yield _ALONE[each_way]
    lending.end_idle()


_ALONE: dict[str, dict[str, object]] = {}


def differences(before: dict[str, object], after: dict[str, object]) -> dict[str, tuple[object, object]]:
    own = "again: stat ."  # it has written there itself
    return {name: (before[name], after[name]) for name in before if before[name] != after[name] and name != own}


@pytest.mark.parametrize("seed", range(DRAWS // AT_ONCE))
def test_whatever_a_submission_changes_the_next_one_sees_and_gets_what_it_gets_alone(seed, alone):
    rng = Random(seed)
    source = neighbors.draw(rng, AT_ONCE)
    attack(source, HASTY)
    idle = lending.idle._waiting.get((os.getpid(), HASTY, isolation.choose().way.name), [])
    kept = [one for one in idle if one.way.name == isolation.choose().way.name]
    for sandbox in kept:  # the honest one gets the very sandbox that the attacker had
        lending.idle._waiting.setdefault((os.getpid(), QUICK, sandbox.way.name), []).append(sandbox)
    idle.clear()
    assert not differences(alone, seen()), source


@pytest.mark.parametrize("values", ["(2, 2)", "((1 << 40) + 1195,) * 2"])
def test_no_limit_of_the_process_that_lends_forks_can_be_set(values, alone):
    attack("import os, resource\nfor name in dir(resource):\n    if name.startswith('RLIMIT_'):\n"
           f"        try: resource.prlimit(os.getppid(), getattr(resource, name), {values})\n"
           "        except OSError: pass\ndef f(x): return x")
    assert not differences(alone, seen())


def _lender(sandbox: lending.Sandbox) -> psutil.Process:
    """The process that lends forks, seen from outside."""
    first = psutil.Process(sandbox._started.process.pid)
    family = [first, *first.children(recursive=True)]
    return next(one for one in family if "python" in one.name())


CHANGES = {
    "a limit": lambda pid: resource.prlimit(pid, resource.RLIMIT_CPU, (77, 77)),
    "a limit that carries text": lambda pid: resource.prlimit(pid, resource.RLIMIT_SIGPENDING, (7, 7)),
    "the nice value": lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 7),
    "the processors": lambda pid: os.sched_setaffinity(pid, {min(os.sched_getaffinity(pid))}),
    "the scheduler": lambda pid: os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0)),
    "how soon it is killed for want of memory": lambda pid: _write(pid, "oom_score_adj", "500"),
}


def _write(pid: int, name: str, text: str) -> None:
    with open(f"/proc/{pid}/{name}", "w") as file:
        file.write(text)


@pytest.mark.parametrize("change", CHANGES)
def test_a_sandbox_in_which_anything_has_changed_is_thrown_away(change, alone):
    """Even if a way to change it were found: here the change is made from outside."""
    with SandboxRunner([Cell("f", "def f(x): return x")], QUICK) as runner:
        assert runner.call("f", (1,)).value == 1
        (tenant,) = [runner._tenant]
        sandbox = tenant._on_end.__self__
        lender = _lender(sandbox)
        try:
            CHANGES[change](lender.pid)
        except PermissionError as error:
            needs.leave_out("rights", f"only root may change it from outside: {error}")
        if change == "the processors" and len(os.sched_getaffinity(0)) < 2:
            needs.leave_out("rights", "there is one processor")
    with contextlib.suppress(psutil.NoSuchProcess):
        lender.wait(5)
    assert "changed: " in runner.problems["sandbox"]
    assert sandbox not in lending.idle._waiting.get((os.getpid(), QUICK, sandbox.way.name), [])
    assert not lender.is_running()
    assert not differences(alone, seen())


@pytest.mark.parametrize("number", ["SIGKILL", "SIGSTOP"])
def test_a_first_process_that_ends_or_stands_still_costs_nobody_anything(number, alone):
    import signal

    with SandboxRunner([Cell("f", "def f(x): return x")], QUICK) as runner:
        sandbox = runner._tenant._on_end.__self__
    lender = _lender(sandbox)
    os.kill(lender.pid, getattr(signal, number))
    if number == "SIGSTOP":
        lending.START_SECONDS, kept = 1.0, lending.START_SECONDS
    try:
        assert not differences(alone, seen())
    finally:
        if number == "SIGSTOP":
            lending.START_SECONDS = kept
    assert not lender.is_running()


def test_what_is_lost_before_the_first_cell_is_the_sandboxs_failure_and_never_a_wrong_answer(monkeypatch, each_way):
    lost = []

    def lose(tenant) -> None:
        lost.append(tenant)
        if len(lost) <= most:
            raise SandboxLostError("gone before anything ran")
        lending.greeted(tenant)

    monkeypatch.setattr(session, "greeted", lose)
    most = session.MOST_SANDBOXES - 1
    with SandboxRunner([Cell("f", "def f(x): return x")], QUICK) as runner:
        assert runner.call("f", (1,)).value == 1
        assert not runner.problems
    lost.clear()
    most = session.MOST_SANDBOXES
    with pytest.raises(SandboxLostError, match="before anything ran"), SandboxRunner([Cell("f", "")], QUICK):
        pass
    assert len(lost) == session.MOST_SANDBOXES


def test_each_submission_is_a_user_of_its_own_and_a_sandbox_without_users_is_renewed(monkeypatch, each_way):
    if not settings.fresh_uids():
        pytest.skip("this user may not choose others")
    monkeypatch.setattr(settings, "UIDS_OF_A_SANDBOX", 2)
    lending.end_idle()
    started = []
    real = lending.Sandbox
    monkeypatch.setattr(lending, "Sandbox", lambda *a: started.append(a) or real(*a))
    users = []
    for _ in range(5):
        with SandboxRunner([Cell("f", "import os\ndef f(x): return os.getuid(), os.getgid()")], QUICK) as runner:
            users.append(runner.call("f", (1,)).value)
        assert not runner.problems
    lending.end_idle()
    assert len(set(users)) == 5 and (0, 0) not in users
    assert len(started) == 3


def test_the_time_that_a_sandbox_takes_to_start_is_not_the_submissions(monkeypatch, each_way):
    def slowly(tenant) -> None:
        time.sleep(1.0)
        lending.greeted(tenant)

    monkeypatch.setattr(session, "greeted", slowly)
    with SandboxRunner([Cell("f", "def f(x): return x")], Limits(total_seconds=0.9)) as runner:
        assert runner.call("f", (1,)).ending == "value"


def test_processes_and_signals_within_a_submission_work_as_everywhere(each_way):
    source = """
import os, signal, subprocess, threading, time
def f(x):
    found = []
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    found.append(os.waitpid(child, 0)[1])
    signal.signal(signal.SIGUSR1, lambda *a: found.append("own"))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR1)
    for _ in range(100):
        if (child := os.fork()) == 0: os._exit(0)
        os.waitpid(child, 0)
    threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(20)]
    for one in threads: one.start()
    for one in threads: one.join()
    return tuple(found)
"""
    with SandboxRunner([Cell("f", source)], QUICK) as runner:
        outcome = runner.call("f", (1,))
    assert outcome.value == (15, "own", "own"), outcome


def test_a_submission_has_so_many_processes_and_files_and_no_more(each_way):
    source = """
import os, time
def processes(x):
    made = 0
    try:
        while True:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            made += 1
    except OSError:
        return made
def files(x):
    written = 0
    try:
        for number in range(10_000):
            with open(f"f{number}", "wb") as file:
                written += file.write(bytes(1 << 16))
    except OSError:
        pass
    return written
"""
    with SandboxRunner([Cell("f", source)], QUICK) as runner:
        assert 30 <= runner.call("processes", (1,)).value < QUICK.processes
        assert (1 << 20) <= runner.call("files", (1,)).value <= QUICK.scratch_bytes
