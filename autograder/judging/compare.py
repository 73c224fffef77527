"""A student's value against the reference's: what differs, and where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import permutations
from typing import Any

import numpy as np

from autograder.sandbox.wire import Unsupported
from cnncourse.language import say

MOST_REORDERED = 4
"""Tuples of at most so many values are tried in other orders."""

MOST_CONVERTED = 1 << 12
"""A tuple of more numbers is made into an array only where so many are expected."""

NUMBERS = "biufc"
"""Kinds of arrays that hold numbers."""

SINGLE = (np.dtype(np.float32), np.dtype(np.float16))
LOOSE_TOLERANCE = 2e-4
"""Accepted error where single precision is in play, relative to the largest expected value."""


class Reason(StrEnum):
    """Why a value is not the expected one."""

    NONE = ""
    TYPE = "type"
    COUNT = "count"
    SHAPE = "shape"
    VALUES = "values"
    NOT_FINITE = "not finite"
    INPUT_CHANGED = "input changed"
    NO_VALUE = "no value"


@dataclass(frozen=True)
class Comparison:
    """The outcome of one comparison.

    Attributes
    ----------
    equal : bool
    reason : Reason
        None if equal.
    text : str
        One or two sentences that say what differs; empty if equal.
    part : str
        Which element of a tuple the rest is about, by its name; empty where the value is no tuple.
    where : tuple of int or None
        Index of the first entry that differs.
    expected, given : object
        The two values, as arrays where both are numeric.
    differs : ndarray of bool or None
        Marks every entry that differs; None where all are equal, or the shapes differ.
    """

    equal: bool
    reason: Reason = Reason.NONE
    text: str = ""
    part: str = ""
    where: tuple[int, ...] | None = None
    expected: Any = None
    given: Any = None
    differs: np.ndarray | None = None


def compare(expected: Any, given: Any, tolerance: float = 1e-7, names: Sequence[str] = ()) -> Comparison:
    """Compare a given value with the expected one.

    Parameters
    ----------
    expected : array, number, bool, str, None, slice or tuple of these
        What the reference returns; it decides what is acceptable.
    given : object
        What the answer returned. Lists stand for arrays or tuples; whole floats for ints.
    tolerance : float, optional
        Largest error relative to the largest expected absolute value. Where either side is in single
        precision, `LOOSE_TOLERANCE` is used if it is larger.
    names : sequence of str, optional
        What the elements are called where a tuple is expected, for the text: ("grad_x", "grad_weight").

    Returns
    -------
    Comparison
    """
    if alike(expected, given, tolerance):
        return Comparison(True, expected=expected, given=given)
    if given is None and expected is not None:
        return Comparison(False, Reason.TYPE, say("The function returned None: is there a return statement on every "
                       "way through it?"), expected=expected)
    if isinstance(given, Unsupported):
        return Comparison(False, Reason.TYPE, say("The function returned a value of type {type}; it has to return "
                       "{expected}.", type=given.type_name, expected=_describe(expected)), expected=expected)
    if isinstance(expected, tuple):
        return _compare_tuple(expected, given, tolerance, names)
    if isinstance(expected, (np.ndarray, int, float, np.generic)):
        return _compare_numbers(expected, given, tolerance)
    return Comparison(False, Reason.VALUES, say("Expected {expected}, got {given}.", expected=_short(expected),
                                          given=_short(given)),
                   expected=expected, given=given)


def alike(expected: Any, given: Any, tolerance: float = 1e-7) -> bool:
    """Whether `compare` finds two values equal; nothing is said about a difference, so this is faster.

    Parameters
    ----------
    expected, given, tolerance
        See `compare`.
    """
    kind = type(expected)
    if kind is type(given) and kind in (int, bool, str, type(None)):
        return bool(expected == given)
    if isinstance(expected, tuple):
        parts = _elements(given, len(expected))
        return (parts is not None and len(parts) == len(expected)
                and all(alike(one, other, tolerance) for one, other in zip(expected, parts, strict=True)))
    if isinstance(expected, (np.ndarray, int, float, np.generic)):
        want = np.asarray(expected)
        got = _as_array(given) if _shape(given) == want.shape else None
        return got is not None and not _differs(want, got, tolerance).any()
    return kind is type(given) and bool(expected == given)


def fits(expected: Any, given: Any) -> bool:
    """Whether a value is built like the expected one: as many elements, numbers where numbers are, the same shapes.

    Nothing is converted for it, so it may be asked of whatever a stranger returns.
    """
    if isinstance(expected, tuple):
        parts = _elements(given, len(expected))
        return parts is not None and len(parts) == len(expected) and all(map(fits, expected, parts))
    if isinstance(expected, (np.ndarray, int, float, np.generic)):
        return _shape(given) == np.shape(expected)
    return type(expected) is type(given)


def reordered(expected: Any, given: Any, tolerance: float = 1e-7) -> bool:
    """Whether a few values are the expected ones in another order."""
    if not (isinstance(expected, tuple) and isinstance(given, (tuple, list)) and len(expected) == len(given)):
        return False
    return len(expected) <= MOST_REORDERED and any(
        alike(expected, order, tolerance) for order in permutations(given))


def _compare_tuple(expected: tuple[Any, ...], given: Any, tolerance: float, names: Sequence[str]) -> Comparison:
    asked = f"({', '.join(names)})" if names else _short(expected)
    parts = _elements(given, len(expected))
    if parts is None:
        return Comparison(False, Reason.TYPE, _count(len(expected), asked, _describe(given)),
                       expected=expected, given=given)
    if len(parts) != len(expected):
        return Comparison(False, Reason.COUNT, _count(len(expected), asked, f"{len(parts)}: {_short(given)}"),
                       expected=expected, given=given)
    compared = [compare(one, other, tolerance) for one, other in zip(expected, parts, strict=True)]
    wrong = [part for part, comparison in enumerate(compared) if not comparison.equal]
    first, named = wrong[0], len(names) == len(expected)
    name = names[first] if named else say("value {number} of {count}", number=first + 1, count=len(expected))
    text = f"{name if named else name[0].upper() + name[1:]}: {compared[first].text}"
    if named and len(names) > 1:
        text += _beside([names[part] for part in range(len(names)) if part not in wrong],
                        [names[part] for part in wrong[1:]])
    return replace(compared[first], part=name, text=text)


def _count(number: int, asked: str, given: str) -> str:
    if number == 1:
        return say("1 value is expected, {asked}; got {given}.", asked=asked, given=given)
    return say("{number} values are expected, {asked}; got {given}.", number=number, asked=asked, given=given)


def _beside(right: list[str], wrong: list[str]) -> str:
    """How the other parts of a tuple are."""
    said = []
    if right:
        said.append(say("{names} is right", names=_listed(right)) if len(right) == 1 else
                     say("{names} are right", names=_listed(right)))
    if wrong:
        said.append(say("{names} differs too", names=_listed(wrong)) if len(wrong) == 1 else
                     say("{names} differ too", names=_listed(wrong)))
    return say(" ({said}.)", said=say(", ").join(said))


def _listed(names: list[str]) -> str:
    return say(" and ").join([*([say(", ").join(names[:-1])] if names[1:] else []), names[-1]])


def _compare_numbers(expected: Any, given: Any, tolerance: float) -> Comparison:
    want, shape = np.asarray(expected), _shape(given)
    if shape is not None and shape != want.shape:
        got = _as_array(given) if math.prod(shape) <= max(want.size, MOST_CONVERTED) else given
        return Comparison(False, Reason.SHAPE, say("The shape is {given}; it has to be {expected}.", given=shape,
                                         expected=want.shape),
                       expected=want, given=got)
    got = None if shape is None else _as_array(given)
    if got is None:
        return Comparison(False, Reason.TYPE, say("It has to return {expected}; it returned {given}.",
                                        expected=_describe(expected), given=_describe(given)),
                       expected=expected, given=given)
    differs = _differs(want, got, tolerance)
    got = _real(got)
    where = tuple(int(i) for i in np.argwhere(differs)[0]) if want.ndim else ()
    reason, pair = Reason.VALUES, {"given": _number(got[where]), "expected": _number(want[where])}
    if want.ndim:
        text = say("{count} of {total} entries differ; the first is at {place}: got {given}, expected {expected}.",
                   count=int(differs.sum()), total=want.size, place=f"[{', '.join(map(str, where))}]", **pair)
    else:
        text = say("Got {given}, expected {expected}.", **pair)
    if np.isfinite(want).all() and not np.isfinite(got).all():
        reason = Reason.NOT_FINITE
        text += say(" Some entries are not finite (NaN or infinity): was the array filled before it was used?")
    return Comparison(False, reason, text, "", where, want, got, differs)


def _differs(want: np.ndarray, got: np.ndarray, tolerance: float) -> np.ndarray:
    """Which entries of two arrays of one shape differ."""
    if want.dtype.kind in "biu" and got.dtype.kind in "biu":
        return np.asarray(want != got)
    got = _real(got)
    if want.dtype in SINGLE or got.dtype in SINGLE:
        tolerance = max(tolerance, LOOSE_TOLERANCE)
    kind = np.complex128 if "c" in (want.dtype.kind, got.dtype.kind) else np.float64
    want, got = want.astype(kind), got.astype(kind)
    size = np.abs(want)
    finite = np.isfinite(size)
    with np.errstate(invalid="ignore", over="ignore"):
        if finite.all():
            return np.asarray(~(np.abs(want - got) <= tolerance * (size.max(initial=0.0) or 1.0)))
        close = np.abs(want - got) <= tolerance * (size[finite].max(initial=0.0) or 1.0)
    same = (want == got) | (np.isnan(want) & np.isnan(got))
    return np.asarray(~np.where(finite, close, same))


def _real(array: np.ndarray) -> np.ndarray:
    """The real part where that is all there is."""
    return array.real if array.dtype.kind == "c" and not np.any(array.imag) else array


def _elements(given: Any, count: int) -> Sequence[Any] | np.ndarray | None:
    """The elements of what stands for a tuple of `count`; an array with another number of rows is not taken apart."""
    if isinstance(given, np.ndarray) and given.ndim > 0:
        return tuple(given) if len(given) == count else given
    return given if isinstance(given, (tuple, list)) else None


def _shape(value: Any) -> tuple[int, ...] | None:
    """Shape that a value would have as an array of numbers, found without making one; None if it would be none."""
    if isinstance(value, np.ndarray):
        return value.shape if value.dtype.kind in NUMBERS else None
    if not isinstance(value, (tuple, list)):
        return () if isinstance(value, (bool, int, float, complex, np.bool_, np.number)) else None
    inner = {_shape(part) for part in value} or {()}
    one = inner.pop()
    return None if inner or one is None else (len(value), *one)


def _as_array(value: Any) -> np.ndarray | None:
    if isinstance(value, (str, slice)) or value is None:
        return None
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return array if array.dtype.kind in NUMBERS else None


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return say("an array of shape {shape}", shape=value.shape)
    if isinstance(value, tuple):
        return say("{count} values", count=len(value))
    if isinstance(value, (bool, np.bool_)):
        return say("True or False")
    if isinstance(value, int) and _as_array(value) is None:
        return say("a number too large for any array")
    if isinstance(value, (int, float, np.number)):
        return say("a number")
    return "None" if value is None else say("a {type}", type=type(value).__name__)


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)


def written(value: Any) -> str:
    """A value on a line; arrays by their shapes."""
    if isinstance(value, np.ndarray):
        return _describe(value)
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(written, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    return repr(value)


def _short(value: Any) -> str:
    text = written(value)
    return text if len(text) < 120 else text[:117] + "..."
