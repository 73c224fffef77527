"""Settings as they are written, an int or one for each axis, turned into whole numbers that have been checked."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

from cnncourse.errors import ArgumentError

PADDING_FORMS = "an int, (vertical, horizontal), ((top, bottom), (left, right)), 'same' or 'valid'"
"""What padding may look like along two axes, in words."""


def whole(name: str, value: Any, minimum: int, maximum: float = math.inf) -> int:
    """A whole number in a range, or an ArgumentError that names the setting."""
    number = _index(value)
    if number is None or not minimum <= number <= maximum:
        allowed = f"of at least {minimum}" if math.isinf(maximum) else f"from {minimum} to {maximum}"
        raise ArgumentError(f"{name} has to be a whole number {allowed}, {value!r} was given")
    return number


def real(name: str, value: Any) -> float:
    """A number, or an ArgumentError that names the setting; its range is up to the caller."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ArgumentError(f"{name} has to be a number, {value!r} was given")
    return float(value)


def per_axis(name: str, value: Any, minimum: int) -> tuple[int, int]:
    """One whole number for both axes, or one for each: (vertical, horizontal)."""
    parts = _pair(value)
    if parts is None:
        parts = (value, value)
    numbers = _index(parts[0]), _index(parts[1])
    if numbers[0] is None or numbers[1] is None or min(numbers[0], numbers[1]) < minimum:
        raise ArgumentError(f"{name} has to be a whole number of at least {minimum}, or two of them "
                            f"(vertical, horizontal); {value!r} was given")
    return numbers[0], numbers[1]


def sides(name: str, value: Any) -> tuple[int, int]:
    """Padding along one axis: an int for both sides, or (before, after)."""
    found = _sides(value)
    if found is None:
        raise ArgumentError(f"{name} has to be a whole number of at least 0, or two of them (before, after); "
                            f"{value!r} was given")
    return found


def sides_per_axis(name: str, value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding along two axes: an int, (vertical, horizontal), or ((top, bottom), (left, right))."""
    parts = _pair(value) or (value, value)
    vertical, horizontal = _sides(parts[0]), _sides(parts[1])
    if vertical is None or horizontal is None:
        raise ArgumentError(f"{name} has to be {PADDING_FORMS}, with whole numbers of at least 0; "
                            f"{value!r} was given")
    return vertical, horizontal


def is_pair(value: Any) -> bool:
    """Whether a setting is given for two axes."""
    return _pair(value) is not None


def _index(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _pair(value: Any) -> tuple[Any, Any] | None:
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return value[0], value[1]
    return None


def _sides(value: Any) -> tuple[int, int] | None:
    parts = _pair(value) or (value, value)
    before, after = _index(parts[0]), _index(parts[1])
    if before is None or after is None or min(before, after) < 0:
        return None
    return before, after
