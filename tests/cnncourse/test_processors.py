"""How many processors there are: bound to, granted by control groups of both versions, and asked for by variables."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse import config, processors
from cnncourse.errors import ArgumentError
from tests.cnncourse.randomly import many

VARIABLES = ("CNNCOURSE_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")

names = st.text("abc.-_ é", min_size=1, max_size=6).filter(lambda name: set(name) != {"."})
garbage = st.sampled_from(("", "\n", "max", "nonsense", "1 2 3", "-5 100000", "0 100000", "50000 0", "nan 1", "0x10 8"))
limits = st.one_of(
    st.tuples(st.integers(1, 10**7), st.integers(1_000, 10**6)),
    st.just("max 100000"), garbage, st.none())
"""Of one group: quota and period; no quota; what makes no sense; no file."""


def escaped(path: object) -> str:
    return str(path).replace("\\", r"\134").replace(" ", r"\040")


def write(group: Path, limit: tuple[int, int] | str | None, version: int) -> None:
    group.mkdir(parents=True, exist_ok=True)
    if version == 2 and limit is not None:
        (group / "cpu.max").write_text(limit if isinstance(limit, str) else "{} {}\n".format(*limit))
    elif limit is not None:
        quota, _, period = (limit if isinstance(limit, str) else "{} {}".format(*limit)).partition(" ")
        (group / "cpu.cfs_quota_us").write_text({"max": "-1"}.get(quota, quota))
        (group / "cpu.cfs_period_us").write_text(period)


class Machine:
    """A folder that looks like /sys/fs/cgroup, and the two files that say where this process is in it.

    Parameters
    ----------
    folder : Path
    path : list of str
        Names of the groups that this process is in, from the top down.
    version : int
        Of control groups.
    hidden : int
        So many of the upper groups a container does not see: its mount begins below them.
    """

    def __init__(self, folder: Path, path: list[str], version: int, hidden: int = 0) -> None:
        folder.mkdir(exist_ok=True)
        self.version = version
        self.top = folder / "control groups" / ("cpu,cpuacct" if version == 1 else "unified")
        self.seen = path[hidden:]
        kind, options = ("cgroup2", "rw,nsdelegate") if version == 2 else ("cgroup", "rw,cpu,cpuacct")
        root = "/" + "/".join(path[:hidden])
        self.mounts, self.membership = folder / "mounts", folder / "membership"
        self.mounts.write_text(
            "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
            f"31 22 0:28 / {escaped(folder / 'memory')} rw shared:9 - cgroup cgroup rw,memory\n"
            f"30 22 0:26 {escaped(root)} {escaped(self.top)} rw,nosuid - {kind} cgroup {options}\n"
            "nonsense\n", encoding="utf-8")
        own = "/" + "/".join(path)
        self.membership.write_text(f"9:memory:/elsewhere\n0::{own if version == 2 else '/'}\n"
                                   + (f"4:cpu,cpuacct:{own}\n" if version == 1 else "") + "nonsense\n",
                                   encoding="utf-8")

    def has(self, depth: int, limit: tuple[int, int] | str | None) -> None:
        """A limit of the group so far below the topmost one that is seen."""
        write(self.top.joinpath(*self.seen[:depth]), limit, self.version)

    def quota(self) -> float:
        return processors.quota(self.mounts, self.membership)


@many
@given(st.lists(st.tuples(names, limits), max_size=4), limits, st.sampled_from((1, 2)), st.data())
def test_the_least_of_all_groups_above_counts_and_nothing_else(groups, at_top, version, data):
    hidden = data.draw(st.integers(0, len(groups)))
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), [name for name, _ in groups], version, hidden)
        of_each = [at_top] + [limit for _, limit in groups[hidden:]]
        for depth, limit in enumerate(of_each):
            machine.has(depth, limit)
        write(machine.top / "neighbor", (1_000, 10**6), version)  # groups that this process is not in
        write(machine.top.joinpath(*machine.seen, "child"), (1_000, 10**6), version)
        expected = min((limit[0] / limit[1] for limit in of_each if isinstance(limit, tuple)), default=math.inf)
        assert machine.quota() == expected


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("shown, own", [
    ("/docker/abc", "/pods/outside/name"), ("/docker/abc", "/../other"), ("/", "/../other"), ("/", "/a/../../other")])
def test_a_container_that_is_told_paths_of_the_machine_outside_looks_at_what_it_is_shown(
    tmp_path, version, shown, own
):
    machine = Machine(tmp_path, [], version)
    machine.mounts.write_text(machine.mounts.read_text().replace("0:26 / ", f"0:26 {shown} "))
    machine.membership.write_text(f"0::{own}\n" if version == 2 else f"4:cpu:{own}\n")
    machine.has(0, (150_000, 100_000))
    write(machine.top.parent / "other", (1_000, 10**6), version)
    assert machine.quota() == 1.5


def test_where_both_versions_are_the_one_with_the_controller_counts(tmp_path):
    old, new = Machine(tmp_path / "old", ["a"], 1), Machine(tmp_path / "new", ["a"], 2)
    old.has(1, (300_000, 100_000))
    new.has(1, None)
    old.mounts.write_text(old.mounts.read_text() + new.mounts.read_text())
    assert old.quota() == 3


@pytest.mark.parametrize("missing", ["mounts", "membership"])
def test_a_machine_without_control_groups_has_no_quota(tmp_path, missing):
    machine = Machine(tmp_path, [], 2)
    machine.has(0, (1, 2))
    getattr(machine, missing).unlink()
    assert machine.quota() == math.inf


@pytest.mark.parametrize("bound, granted, expected", [
    (4, math.inf, 4), (4, 8.0, 4), (4, 2.0, 2), (4, 2.9, 2), (4, 0.3, 1), (1, 7.5, 1)])
def test_whole_processors_of_the_quota_count_and_there_is_always_one(monkeypatch, bound, granted, expected):
    monkeypatch.setattr(processors, "_bound", lambda: bound)
    monkeypatch.setattr(processors, "quota", lambda: granted)
    assert processors.available() == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are not bound to processors here")
def test_a_process_that_is_bound_to_one_processor_has_one():
    first = min(os.sched_getaffinity(0))
    program = (f"import os; os.sched_setaffinity(0, [{first}])\n"
               "from cnncourse import processors; print(processors.available())")
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=True).stdout.strip() == "1"


@pytest.fixture
def asked(monkeypatch):
    """A function that sets the variables and tells how many threads there are with 6 processors."""
    monkeypatch.setattr(processors, "available", lambda: 6)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def ask(**variables: str) -> int:
        monkeypatch.setattr(config, "_num_threads", None)
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            return config.get_num_threads()

    return ask


@pytest.mark.parametrize("values, expected", [
    ((), 6), (("4",), 4), (("9",), 6), (("4", "3"), 3), (("3", "4", "5"), 3), (("4", "5", "2"), 2), (("", "", "1"), 1),
    (("4", "many", "0"), 4), (("4", "-1", "2,3"), 2), (("4", "", ",2"), 4)])
def test_the_least_variable_bounds_the_threads(asked, values, expected):
    assert asked(**dict(zip(VARIABLES, values, strict=False))) == expected


@pytest.mark.parametrize("value", ["0", "-2", "1.5", "two", "2,3"])
def test_a_variable_of_ours_that_is_no_number_of_threads_is_refused(asked, value):
    with pytest.raises(ArgumentError, match=f"CNNCOURSE_NUM_THREADS .* it is '{value}'"):
        asked(CNNCOURSE_NUM_THREADS=value)


def test_what_a_program_sets_stands_above_all(asked, monkeypatch):
    asked(OMP_NUM_THREADS="1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    config.set_num_threads(11)
    assert config.get_num_threads() == 11
