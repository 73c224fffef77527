"""Stands in the sandbox for the judge: a check that was left in an answer cell does nothing there."""

from typing import Any


def check(*_: Any, **__: Any) -> None:
    """Do nothing."""


hint = preview = progress = rehearse = check
