"""Sharing work among threads: every part once, from several callers, after a fork, on errors, without a cache."""

import itertools
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import cnncourse
from cnncourse import config
from cnncourse import functional as F
from cnncourse.machinery import threads
from cnncourse.machinery.compiling import jit
from cnncourse.machinery.helpers import Helper
from cnncourse.machinery.threads import share
from tests.cnncourse.randomly import upstream

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def restored():
    before = config.get_num_threads()
    yield
    config.set_num_threads(before)


@jit
def count(first, last, counts, rounds):
    for _ in range(rounds):
        for task in range(first, last):
            counts[task] += 1


@pytest.mark.parametrize("number", [1, 2, 3, 7])
@pytest.mark.parametrize("tasks", [0, 1, 2, 5, 1000])
@pytest.mark.parametrize("parts", [None, 1, 2, 3, 5000])
def test_every_task_is_done_once(number, tasks, parts):
    config.set_num_threads(number)
    for _ in range(20):
        counts = np.zeros(tasks, np.int64)
        share(count, tasks, counts, 1, parts=parts)
        assert (counts == 1).all()


def test_helpers_take_part():
    config.set_num_threads(3)
    seen, together = set(), threading.Barrier(3, timeout=30)

    def kernel(first, last):
        seen.add(threading.get_ident())
        together.wait()

    share(kernel, 3, parts=3)
    assert len(seen) == 3


@pytest.mark.parametrize("pause", [0, 1e-5, 1e-4, 1e-3])
def test_helpers_hear_the_bell_wide_awake_and_asleep(pause):
    config.set_num_threads(2)
    for _ in range(50):
        counts = np.zeros(64, np.int64)
        share(count, 64, counts, 200)
        assert (counts == 200).all()
        time.sleep(pause)


def test_many_threads_may_share_work_at_once():
    config.set_num_threads(2)
    wrong = []

    def caller(seed):
        for number in range(100):
            counts = np.zeros(50 + seed, np.int64)
            share(count, len(counts), counts, number)
            if not (counts == number).all():
                wrong.append(seed)

    callers = [threading.Thread(target=caller, args=(seed,)) for seed in range(12)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert not wrong


def test_operations_agree_from_many_threads_and_with_any_number_of_them():
    x = RNG.standard_normal((8, 16, 40, 40)).astype(np.float32)
    weight = RNG.standard_normal((16, 16, 3, 3)).astype(np.float32)
    scale = np.abs(RNG.standard_normal(16).astype(np.float32))
    unshared = RNG.standard_normal((10, 10, 6, 16, 4, 4)).astype(np.float32)
    pooled = F.max_pool2d(x, 3, 2)
    features, matrix = x.reshape(8, -1)[:, :3000].copy(), RNG.standard_normal((200, 3000)).astype(np.float32)
    scores = upstream(np.zeros((8, 200), np.float32))
    operations = {
        "conv2d": lambda: F.conv2d(x, weight, padding=1),
        "linear": lambda: F.linear(features, matrix),
        "linear_backward, x": lambda: F.linear_backward(scores, features, matrix)[0],
        "linear_backward, weight": lambda: F.linear_backward(scores, features, matrix)[1],
        "relu": lambda: F.relu(x),
        "add": lambda: F.add(x, x[::-1]),
        "max_pool2d": lambda: F.max_pool2d(x, 3, 2),
        "max_pool2d_backward": lambda: F.max_pool2d_backward(pooled, x, 3, 2),
        "avg_pool2d": lambda: F.avg_pool2d(x, 3, 2),
        "avg_pool2d_backward": lambda: F.avg_pool2d_backward(pooled, x, 3, 2),
        "lp_pool2d": lambda: F.lp_pool2d(x, 2, 3, 2),
        "global_avg_pool2d": lambda: F.global_avg_pool2d(x),
        "batch_norm": lambda: F.batch_norm(x, scale, scale, training=True)[0],
        "batch_norm_backward": lambda: F.batch_norm_backward(x, x, scale, training=True)[0],
        "local_response_norm": lambda: F.local_response_norm(x, 5),
        "local_response_norm_backward": lambda: F.local_response_norm_backward(x, x, 5),
        "locally_connected2d": lambda: F.locally_connected2d(x, unshared, stride=4),
        "locally_connected2d_backward": lambda: F.locally_connected2d_backward(
            upstream(np.zeros((8, 6, 10, 10), np.float32)), x, unshared, stride=4)[0],
    }
    config.set_num_threads(1)
    expected = {name: operation() for name, operation in operations.items()}
    scales = {name: np.abs(value).max() for name, value in expected.items()}
    for number in (2, 3):
        config.set_num_threads(number)
        first = {name: operation() for name, operation in operations.items()}
        for name, operation in operations.items():
            assert np.abs(first[name] - expected[name]).max() <= 2e-6 * scales[name], name
            np.testing.assert_array_equal(operation(), first[name], err_msg=name)  # bit for bit, from run to run
    results = []
    callers = [threading.Thread(target=lambda: results.append({name: run() for name, run in operations.items()}))
               for _ in range(4)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert len(results) == 4
    for found, name in itertools.product(results, operations):
        assert np.abs(found[name] - expected[name]).max() <= 2e-6 * scales[name], name


@pytest.mark.parametrize("culprit", ["the caller", "a helper"])
def test_an_error_in_a_part_reaches_the_caller_after_all_threads_have_stopped(culprit):
    config.set_num_threads(2)
    here, running = threading.get_ident(), []
    together = threading.Barrier(2, timeout=30)

    def kernel(first, last):
        running.append(first)
        together.wait()
        if (threading.get_ident() == here) == (culprit == "the caller"):
            raise ZeroDivisionError(f"part {first}")
        time.sleep(0.05)
        running.remove(first)

    with pytest.raises(ZeroDivisionError, match="part") as caught:
        share(kernel, 2, parts=2)
    assert [f"part {first}" for first in running] == [str(caught.value)]
    counts = np.zeros(100, np.int64)
    share(count, 100, counts, 1)  # all is well again
    assert (counts == 1).all()


def test_work_that_a_helper_has_not_begun_is_taken_back():
    helper = Helper(1)
    began, release = threading.Event(), threading.Event()
    first = helper.begin(lambda: (began.set(), release.wait(30)))
    assert began.wait(30)
    done = []
    second = helper.begin(lambda: done.append("second"))
    helper.end(second)  # does not wait for the first job
    release.set()
    helper.end(first)
    third = helper.begin(lambda: done.append("third"))
    for _ in range(1000):
        if done:
            break
        time.sleep(0.01)
    helper.end(third)
    assert done == ["third"]


def test_a_helper_holds_on_to_nothing_after_its_work():
    config.set_num_threads(2)
    import gc
    import weakref

    class Tracked(np.ndarray):
        pass

    counts = np.zeros(1000, np.int64).view(Tracked)
    gone = weakref.ref(counts)
    share(lambda first, last, counts: count(first, last, np.asarray(counts), 50), 1000, counts)
    del counts
    gc.collect()
    assert gone() is None


def work_in_a_child(connection):
    counts = np.zeros(1000, np.int64)
    share(count, 1000, counts, 10)
    x = np.ones((1, 64, 60, 60), np.float32)
    connection.send((int(counts.sum()), float(F.relu(x).sum())))
    connection.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_kernels_work_in_a_process_that_was_forked():
    config.set_num_threads(2)
    counts = np.zeros(1000, np.int64)
    share(count, 1000, counts, 10)  # helpers exist before the fork
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=work_in_a_child, args=(sender,))
        child.start()
        assert receiver.poll(60), "the child is stuck"
        assert receiver.recv() == (10_000, 64 * 60 * 60)
        child.join(60)
        assert child.exitcode == 0
    share(count, 1000, counts, 10)
    assert (counts == 20).all()


def run(code, folder, **environment):
    """What a program prints that imports the package from this folder."""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=folder,
        env={**os.environ, "CNNCOURSE_NUM_THREADS": "2", "PYTHONPATH": str(folder), **environment})
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


@pytest.mark.parametrize("pause", [0, 0.01])
def test_a_program_ends_while_helpers_watch_or_sleep(pause):
    code = ("import numpy as np, time; from cnncourse import functional as F; "
            f"F.relu(np.ones((1, 64, 60, 60), np.float32)); time.sleep({pause}); print('end')")
    assert run(code, Path(cnncourse.__file__).parents[1]) == ["end"]


def test_kernels_are_compiled_without_a_cache_where_no_folder_may_be_written(tmp_path):
    package, nowhere = tmp_path / "cnncourse", tmp_path / "nowhere"
    shutil.copytree(Path(cnncourse.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    # Where there is a file no folder can be made, not even by an administrator.
    nowhere.write_text("")
    for folder in (package, *(path for path in package.rglob("*") if path.is_dir())):
        (folder / "__pycache__").write_text("")
    code = """
import numba, numpy as np
import cnncourse
from cnncourse import config, functional as F
try:
    numba.njit(cache=True)(config.get_num_threads)
    print("cache")
except RuntimeError:
    print("no cache")
x = np.arange(-8, 8, dtype=np.float32).reshape(1, 1, 4, 4)
print(cnncourse.__file__, *F.max_pool2d(F.relu(x), 2).ravel())
"""
    found = run(code, tmp_path, HOME=str(nowhere), XDG_CACHE_HOME=str(nowhere), LOCALAPPDATA=str(nowhere),
                NUMBA_CACHE_DIR="")
    assert found == ["no", "cache", str(package / "__init__.py"), "0.0", "0.0", "5.0", "7.0"]


def test_threads_are_bounded_by_what_was_asked_for():
    config.set_num_threads(2)
    share(count, 10, np.zeros(10, np.int64), 1)
    before = len(threads._helpers)
    share(count, 10, np.zeros(10, np.int64), 1)
    assert len(threads._helpers) == before
    config.set_num_threads(before + 3)
    share(count, 100, np.zeros(100, np.int64), 1)
    assert len(threads._helpers) == before + 2
