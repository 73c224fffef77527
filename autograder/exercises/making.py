"""Misconceptions written down together."""

from __future__ import annotations

from dataclasses import replace

from autograder.judging.exercise import Misconception


def in_answer(answer: str, *mistakes: Misconception) -> tuple[Misconception, ...]:
    """Mistakes that are made in one answer of an exercise, which is not its first."""
    return tuple(replace(mistake, answer=answer) for mistake in mistakes)
