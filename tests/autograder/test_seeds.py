"""The course's secret, and what is drawn from it."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.classroom import seeds


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    secret = seeds.course_secret(tmp_path)
    assert len(secret) == seeds.SECRET_BYTES and seeds.course_secret(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / seeds.SECRET_FILE).stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [seeds.SECRET_FILE]


def test_all_who_make_a_secret_at_once_get_the_same_one(tmp_path):
    with ThreadPoolExecutor(16) as executor:
        found = set(executor.map(lambda _: seeds.course_secret(tmp_path), range(64)))
    assert len(found) == 1


def test_what_is_interrupted_leaves_no_secret_that_is_none(tmp_path, monkeypatch):
    def full(number: int) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(seeds.secrets, "token_bytes", full)
    with pytest.raises(OSError, match="No space"):
        seeds.course_secret(tmp_path)
    assert os.listdir(tmp_path) == []
    monkeypatch.undo()
    assert len(seeds.course_secret(tmp_path)) == seeds.SECRET_BYTES


@pytest.mark.parametrize("content", ["", "00ff\n", "no digits at all\n"])
def test_a_broken_secret_is_said_to_be_none(content, tmp_path):
    (tmp_path / seeds.SECRET_FILE).write_text(content)
    with pytest.raises(ValueError):
        seeds.course_secret(tmp_path)


def test_seeds_differ_by_student_exercise_and_submission_and_are_the_same_again():
    secret = bytes(32)
    first = seeds.submission_seed(secret, "ada", "zero_pad", "abc")
    others = {seeds.submission_seed(*given) for given in (
        (bytes([1] * 32), "ada", "zero_pad", "abc"), (secret, "bob", "zero_pad", "abc"),
        (secret, "ada", "conv1x1", "abc"), (secret, "ada", "zero_pad", "abd"))}
    assert len(others | {first}) == 5 and seeds.submission_seed(secret, "ada", "zero_pad", "abc") == first
