"""The figures of 07-train-a-cnn, each drawn once for the tests; they get a small photograph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FIGURES: dict[str, Callable[..., Any]] = {}
