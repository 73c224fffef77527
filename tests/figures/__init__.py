"""Every figure of the course with arguments to draw it, one module per notebook."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from tests.answers import TOPICS

FIGURES: dict[str, Callable[..., Any]] = {}
for _topic in TOPICS:
    FIGURES |= import_module(f"tests.figures.{_topic}").FIGURES
