"""What all tests share: where the course is, and whether strangers' code can be isolated here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.configuration import make_gradebooks_anywhere
from autograder.sandbox import isolation

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


@pytest.fixture(params=list(isolation.WAYS))
def each_way(request, monkeypatch):
    """One way to isolate after the other, as if there were no other.

    It fails where CNNCOURSE_REQUIRE_SANDBOXES is set and a way is not there.
    """
    reason = isolation.why_not(request.param)
    if reason and os.environ.get("CNNCOURSE_REQUIRE_SANDBOXES"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    monkeypatch.setattr(isolation, "WAYS", {request.param: isolation.WAYS[request.param]})
    return request.param


def pytest_collection_modifyitems(items):
    """Tests that need a sandbox fail in continuous integration and are skipped elsewhere, if none can start."""
    reason = isolation.why_unavailable()
    if reason and not os.environ.get("CI"):
        for item in items:
            if "sandbox" in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))
