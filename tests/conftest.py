"""What all tests share: where the course is, and whether strangers' code can be isolated here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.configuration import make_gradebooks_anywhere
from autograder.sandbox.isolation import why_unavailable

ROOT = Path(__file__).resolve().parent.parent
make_gradebooks_anywhere()


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """A student's progress is kept in a folder of the test's own."""
    monkeypatch.setenv("CNNCOURSE_STATE", str(tmp_path / "state"))


def pytest_collection_modifyitems(items):
    """Tests that need a sandbox fail in continuous integration and are skipped elsewhere, if none can start."""
    reason = why_unavailable()
    if reason and not os.environ.get("CI"):
        for item in items:
            if "sandbox" in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))
