"""What `course lab` prepares for an instructor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from autograder.authoring.build import assignments
from autograder.errors import AutograderError
from autograder.lab import workspace
from tests.browser.lab import free_port
from tests.classroom import ASSIGNMENT, CONFIGURATION


def test_a_course_directory_gets_sources_and_exchange_and_keeps_what_it_has(root, tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(CONFIGURATION)
    own = tmp_path / "source" / ASSIGNMENT / "mine.ipynb"
    own.parent.mkdir(parents=True)
    own.write_text("my version")
    added = workspace.prepare_course(tmp_path)
    assert [path.stem for path in added] == [name for name in assignments(root) if name != ASSIGNMENT]
    assert [path.name for path in own.parent.iterdir()] == ["mine.ipynb"] and own.read_text() == "my version"
    assert (tmp_path / "exchange").is_dir()
    assert workspace.prepare_course(tmp_path) == []


def test_another_exchange_is_made_where_the_configuration_says(root, tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(f"{CONFIGURATION}\nc = get_config()\n"
                                                 f"c.Exchange.root = {str(tmp_path / 'elsewhere')!r}\n")
    workspace.prepare_course(tmp_path)
    assert (tmp_path / "elsewhere").is_dir() and not (tmp_path / "exchange").exists()


def test_a_folder_that_is_no_course_directory_is_refused(root, tmp_path):
    with pytest.raises(AutograderError, match=r"holds no nbgrader_config\.py"):
        workspace.prepare_course(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number, status, said", [
    (signal.SIGTERM, 0, ""), (signal.SIGHUP, 0, ""), (signal.SIGINT, 130, "Stopped.")])
def test_a_signal_to_the_command_ends_the_server_and_all_that_it_started(number, status, said, tmp_path):
    log = (tmp_path / "log").open("w+")
    process = psutil.Popen(
        [sys.executable, "-m", "autograder.cli", "lab", "--folder", str(tmp_path / "work"), "--", "--no-browser",
         "--allow-root", f"--port={free_port()}"],
        env={**os.environ, "CNNCOURSE_STATE": str(tmp_path)}, stdout=log, stderr=subprocess.STDOUT,
        start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    end = time.monotonic() + 60
    while "Use Control-C to stop this server" not in (tmp_path / "log").read_text():
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.05)
    family = process.children(recursive=True)
    assert family
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # Ctrl+C reaches everybody at the terminal
    else:
        process.send_signal(number)
    assert process.wait(30) == status
    _, left = psutil.wait_procs(family, 30)
    assert left == []
    assert said in (tmp_path / "log").read_text()
