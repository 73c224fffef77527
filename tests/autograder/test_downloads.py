"""Whose a file in a platform's zip is: also where a student's name, or a file's, looks like the platform's own part."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.downloads import CanvasCollectorPlugin, MoodleCollectorPlugin

OWNER, VICTIM = "4711", "99"
NAME = "01-local-connectivity"
PIECES = st.lists(st.sampled_from([
    "ada", "_", f"_{VICTIM}", f"_{VICTIM}_5_", f"_{VICTIM}_assignsubmission_file", "_assignsubmission_file_", "_5",
    f"{VICTIM}_", NAME, ".ipynb", " ", "-1", "7"]), max_size=6).map("".join)


def owners(plugin, folder, path) -> set[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    collected = plugin().collect(str(path))
    return {collected["student_id"]} if collected else set()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=PIECES, file=st.just(NAME) | PIECES, inside=st.sampled_from(["_", "_/", "_/sub/"]))
def test_no_name_of_a_person_or_a_file_puts_a_file_into_anothers_folder(tmp_path, name, file, inside):
    moodle = tmp_path / "moodle" / f"{name}_{OWNER}_assignsubmission_file{inside}{file}.ipynb"
    assert owners(MoodleCollectorPlugin, tmp_path, moodle) <= {OWNER}
    canvas = tmp_path / "canvas" / f"{name}_{OWNER}_90001_{file}.ipynb"
    assert owners(CanvasCollectorPlugin, tmp_path, canvas) <= {OWNER}


@pytest.mark.parametrize("name", ["ada lindqvist", "de la Cruz_Ana", "R2D2", "x_99", "Ann (2)"])
def test_ordinary_names_are_collected(tmp_path, name):
    moodle = tmp_path / "moodle" / f"{name}_{OWNER}_assignsubmission_file_{NAME}.ipynb"
    assert owners(MoodleCollectorPlugin, tmp_path, moodle) == {OWNER}


def test_an_imitation_is_said(tmp_path, caplog):
    path = tmp_path / f"x_{VICTIM}_assignsubmission_file_y_{OWNER}_assignsubmission_file_{NAME}.ipynb"
    with caplog.at_level(logging.WARNING):
        assert owners(MoodleCollectorPlugin, tmp_path, path) == set()
    assert "imitates" in caplog.text
