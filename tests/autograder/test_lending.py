"""Sandboxes that stay, with several threads and processes that grade at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from autograder.sandbox import isolation, lending
from autograder.sandbox.isolation import Limits
from autograder.sandbox.session import Cell, SandboxRunner

pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("each_way")]


def test_a_sandbox_outlives_the_thread_that_needed_it_first():
    limits = Limits(call_seconds=5.0, total_seconds=64.0)
    outcomes, go_on = [], threading.Event()

    def first() -> None:
        with SandboxRunner([Cell("f", "def f(x): return x")], limits):
            pass
        go_on.wait(5)

    def second() -> None:
        with SandboxRunner([Cell("f", "import time\ndef f(x):\n    time.sleep(0.5)\n    return x")], limits) as runner:
            go_on.set()
            one.join()
            outcomes.append(runner.call("f", (1,)))

    one = threading.Thread(target=first)
    one.start()
    while not lending.idle._waiting.get((os.getpid(), limits, isolation.choose().way.name)):
        time.sleep(0.01)
    two = threading.Thread(target=second)
    two.start()
    two.join()
    assert outcomes[0].value == 1


MANY = """
import multiprocessing, sys, threading
from autograder.sandbox.session import Cell, SandboxRunner

def grade(number):
    with SandboxRunner([Cell("f", f"def f(x): return x + {number}")], sandbox=sys.argv[1]) as runner:
        return [outcome.value for outcome in runner.calls("f", [(i,) for i in range(20)])]

def grade_in_threads(number):
    found = {}
    threads = [threading.Thread(target=lambda n=n: found.update({n: grade(n)})) for n in range(number, number + 3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return found

if __name__ == "__main__":
    grade(0)  # the forks find a sandbox that waits, which is not theirs
    with multiprocessing.get_context("fork").Pool(3) as pool:
        found = {n: values for part in pool.map(grade_in_threads, range(0, 24, 3)) for n, values in part.items()}
    print(found == {n: [i + n for i in range(20)] for n in range(24)}, len(found))
"""


def test_processes_and_threads_grade_at_once(each_way):
    command = [sys.executable, "-c", MANY, each_way]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.stdout == "True 24\n", ran.stderr
