"""The first command of the README, on the oldest and the newest fresh machine."""

from __future__ import annotations

import pytest

from tests.machines import roots

pytestmark = [pytest.mark.slow, pytest.mark.machines]


@pytest.mark.parametrize("name, user", [("bookworm", "ada"), ("sid-3.15", "root")])
def test_the_demo_runs_on_a_bare_system(name, user):
    machine = roots.MACHINES[name]
    with roots.fresh(machine, user) as root:
        tried = roots.run(root, machine, user)
    assert tried.status == 0, tried.output
    assert tried.last_line.startswith("    python3 course.py lab --instructor")
    assert "│ boris   │ ✓ │ ✓" in tried.output


def test_a_bare_system_without_python3_venv_is_told_what_to_install_before_anything_is_made():
    machine = roots.MACHINES["bookworm"]
    with roots.fresh(machine, "root") as root:
        for path in root.glob("usr/lib/python3.*/ensurepip"):
            path.rename(path.with_name("gone"))
        tried = roots.run(root, machine, "root")
        assert not (root / "root" / "course" / ".venv").exists()
    assert tried.status == 1
    assert "apt install python3.11-venv" in tried.last_line
