"""Values as bytes between the judge and the sandbox: never pickle, nothing is believed.

A message is one frame: 4 bytes length of the header, 8 bytes length of the body (both big-endian),
a JSON header, and the raw bytes of all arrays one after the other. A value is a small tree in the header:

    null, true, 7, 1.5, "text"          themselves; inf, nan and long ints survive, too
    [value, ...]                        a tuple
    {"array": [dtype, shape, layout]}   next bytes of the body, in C order
    {"slice": [value, value, value]}
    {"list": [value, ...]}              a list; only from the judge to the sandbox
    {"formula": "lambda x: ..."}        only from the judge to the sandbox
    {"unsupported": "type name"}

The reader checks every length before it allocates anything. This file also lies in the sandbox, alone:
it imports the standard library and NumPy only.
"""

from __future__ import annotations

import json
import math
import opcode
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

PREFIX = struct.Struct(">IQ")
MAX_HEADER = 1 << 20
MAX_BODY = 1 << 20
"""Many times what any exercise hands in or expects: what a stranger sends takes the judge's memory and time."""

MAX_SIDE = 1 << 26
MAX_NODES = 4096
MAX_DEPTH = 8
MAX_DIMENSIONS = 16
MAX_BITS = 1024
RAISE = opcode.opmap["RAISE_VARARGS"]
"""What `raise` and a failing `assert` are compiled to."""
DTYPES = {name: np.dtype(name) for name in (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128")}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_to_json = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
_from_json = json.JSONDecoder().decode


class MalformedError(ValueError):
    """The bytes are not a message of this format, or a value is too large for it."""


class Unsupported:
    """Stands for a value of a type that no exercise asks for."""

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name


class Listed(list):
    """A list among a case's arguments that stays one; what comes out of the sandbox never holds one."""


class Formula:
    """A function among a case's arguments, as text: `Formula("lambda x: np.sum(x ** 2)")`.

    The judge sends it and the sandbox evaluates it; what comes out of the sandbox never holds one.

    Parameters
    ----------
    source : str
        A Python expression for a function; NumPy is there as np.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._function = eval(source, {"np": np})

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __repr__(self) -> str:
        return self.source


def pack(header: dict[str, Any], value: Any = None) -> bytes:
    """One frame with `header`, and `value` encoded in it.

    Raises
    ------
    MalformedError
        If the value is larger than the format allows.
    """
    parts: list[bytes] = []
    head = _to_json({**header, "value": _encode(value, parts, [0], 0)}).encode()
    size = sum(map(len, parts))
    if len(head) > MAX_HEADER or size > MAX_BODY:
        raise MalformedError(f"the value is too large: {size} bytes, at most {MAX_BODY} fit")
    return b"".join((PREFIX.pack(len(head), size), head, *parts))


def unpack(head: bytes, body: bytes | memoryview, formulas: bool = False) -> tuple[dict[str, Any], Any]:
    """Header and value of one frame; the opposite of `pack`.

    Parameters
    ----------
    head, body : bytes
    formulas : bool, optional
        Whether the sender may send code; never True for what comes from strangers.

    Raises
    ------
    MalformedError
        If anything in it is not as `pack` writes it.
    """
    try:
        header = _from_json(head.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedError("the header is not JSON") from error
    if not isinstance(header, dict):
        raise MalformedError("the header is not an object")
    reader = _BodyReader(body, formulas)
    try:
        value = _decode(header.pop("value", None), reader, [0], 0)
    except MalformedError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise MalformedError(f"the value is malformed: {error}") from error
    if reader.position != len(body):
        raise MalformedError("bytes are left over")
    return header, value


def read_frame(read: Callable[[int], bytes], formulas: bool = False) -> tuple[dict[str, Any], Any] | None:
    """Read one frame with `read(n)`, which returns exactly n bytes, or fewer at the end; None at the end.

    Parameters
    ----------
    read : callable
    formulas : bool, optional
        See `unpack`.
    """
    prefix = read(PREFIX.size)
    if not prefix:
        return None
    size = frame_size(prefix)
    if size is None:
        raise MalformedError("the message stops inside its length")
    frame = prefix + read(size - PREFIX.size)
    if len(frame) < size:
        raise MalformedError("the message is cut short")
    return open_frame(frame, formulas)


def frame_size(beginning: bytes | bytearray) -> int | None:
    """Size of the frame that begins like this; None while its length is not there yet.

    Raises
    ------
    MalformedError
        If it claims to be larger than the format allows.
    """
    if len(beginning) < PREFIX.size:
        return None
    head_size, body_size = PREFIX.unpack_from(beginning)
    if head_size > MAX_HEADER or body_size > MAX_BODY:
        raise MalformedError(f"the message claims {head_size} + {body_size} bytes; that is too much")
    return PREFIX.size + head_size + body_size


def open_frame(frame: bytes, formulas: bool = False) -> tuple[dict[str, Any], Any]:
    """Header and value of a frame that is complete; see `unpack`."""
    start = PREFIX.size + PREFIX.unpack_from(frame)[0]
    return unpack(frame[PREFIX.size : start], memoryview(frame)[start:], formulas)


def copy(value: Any) -> Any:
    """A value as the other side of the wire would receive it: fresh memory, the same layout."""
    parts: list[bytes] = []
    tree = _encode(value, parts, [0], 0)
    if sum(map(len, parts)) > MAX_BODY:
        raise MalformedError(f"the value is too large: at most {MAX_BODY} bytes fit")
    return _decode(tree, _BodyReader(b"".join(parts), True), [0], 0)


Snapshot = tuple[bytes, tuple[int, ...], np.dtype]


def snapshots(arguments: tuple[Any, ...]) -> list[tuple[int, np.ndarray, Snapshot]]:
    """What the arrays in the arguments are now, those in tuples and lists as well; for `changed`."""
    return [(i, array, (array.tobytes(), array.shape, array.dtype))
            for i, argument in enumerate(arguments) for array in _arrays_in(argument)]


def changed(before: list[tuple[int, np.ndarray, Snapshot]]) -> list[int]:
    """Positions of the arguments whose arrays are not what they were."""
    return list(dict.fromkeys(i for i, array, snapshot in before if _differs(array, *snapshot)))


def _arrays_in(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    return [array for part in value for array in _arrays_in(part)] if isinstance(value, (tuple, list)) else []


def _differs(new: np.ndarray, data: bytes, shape: tuple[int, ...], dtype: np.dtype) -> bool:
    if new.shape == shape and new.dtype == dtype and new.tobytes() == data:
        return False
    old = np.ndarray(shape, dtype, data)
    return not np.array_equal(old, new, equal_nan=dtype.kind == "f")  # 0.0 and -0.0 are the same


def raised_by_hand(error: BaseException, is_own: Callable[[str], bool]) -> bool:
    """Whether an exception comes from a raise or an assert in an answer's own code, not from what that code calls.

    Whoever calls answers, here or in the sandbox, has to see it alike.

    Parameters
    ----------
    error : BaseException
    is_own : callable
        Whether code of a file, by the file's name, belongs to whoever wrote the answer.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not is_own(trace.tb_frame.f_code.co_filename):
        return False
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == RAISE


def _encode(value: Any, parts: list[bytes], nodes: list[int], depth: int) -> Any:
    nodes[0] += 1
    if nodes[0] > MAX_NODES or depth > MAX_DEPTH:
        raise MalformedError("the value has too many parts")
    kind = type(value)
    if kind is np.ndarray:
        return _encode_array(value, parts)
    if value is None or kind is float or kind is str or kind is bool:
        return value
    if kind is tuple:
        return [_encode(v, parts, nodes, depth + 1) for v in value]
    return _encode_rest(value, parts, nodes, depth)


def _encode_rest(value: Any, parts: list[bytes], nodes: list[int], depth: int) -> Any:
    """What is less common, and what is only derived from the common types."""
    if isinstance(value, np.ndarray):
        return _encode_array(value.view(np.ndarray), parts)
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)) and int(value).bit_length() < MAX_BITS:
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Listed):
        return {"list": [_encode(v, parts, nodes, depth + 1) for v in value]}
    if isinstance(value, Formula):
        return {"formula": value.source}
    if isinstance(value, slice):
        ends = (value.start, value.stop, value.step)
        if not all(end is None or isinstance(end, (int, float, np.integer, np.floating)) for end in ends):
            return {"unsupported": "slice"}
        return {"slice": [_encode(end, parts, nodes, depth + 1) for end in ends]}
    if isinstance(value, list) and (table := _as_table(value)) is not None:
        return _encode_array(table, parts)
    if isinstance(value, (tuple, list)):
        return [_encode(v, parts, nodes, depth + 1) for v in value]
    return {"unsupported": type(value).__name__[:100]}


def _as_table(value: list[Any]) -> np.ndarray | None:
    """A nested list of numbers as an array: students may return what `tolist` gives."""
    if not value or isinstance(value[0], (np.ndarray, tuple, slice, str)):
        return None
    try:
        table = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return table if table.dtype.name in DTYPES else None


def _encode_array(array: np.ndarray, parts: list[bytes]) -> Any:
    name = _NAMES.get(array.dtype)
    if name is None:
        name = array.dtype.newbyteorder("=").name
        if name not in DTYPES:
            return {"unsupported": f"array of {array.dtype.name}"[:100]}
        array = array.astype(DTYPES[name], order="K")
    if array.ndim > MAX_DIMENSIONS:
        return {"unsupported": f"array of {array.ndim} dimensions"}
    if array.nbytes > MAX_BODY:
        raise MalformedError(f"the array {array.shape} has {array.nbytes} bytes, at most {MAX_BODY} fit")
    flags = array.flags
    layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "strided"
    parts.append(array.tobytes())
    return {"array": [name, list(array.shape), layout]}


class _BodyReader:
    def __init__(self, body: bytes | memoryview, formulas: bool) -> None:
        self.body = body
        self.formulas = formulas
        self.position = 0

    def array(self, name: Any, shape: Any, layout: Any) -> np.ndarray:
        if name not in DTYPES or layout not in ("C", "F", "strided"):
            raise MalformedError("an array of an unknown kind")
        if (not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS
                or not all(type(n) is int and 0 <= n <= MAX_SIDE for n in shape)):
            raise MalformedError("an array whose shape is not a list of sizes")
        dtype = DTYPES[name]
        size = math.prod(shape) * dtype.itemsize
        if size > len(self.body) - self.position:
            raise MalformedError("an array larger than the message")
        there = np.ndarray(shape, dtype, self.body, self.position)
        self.position += size
        if layout == "C":
            return there.copy()
        if layout == "F" or not shape:
            return there.copy(order="F")
        view = np.empty((*shape[:-1], 2 * shape[-1]), dtype)[..., ::2]
        view[...] = there
        return view


def _decode(node: Any, reader: _BodyReader, nodes: list[int], depth: int) -> Any:
    nodes[0] += 1
    if nodes[0] > MAX_NODES or depth > MAX_DEPTH:
        raise MalformedError("the value has too many parts")
    kind = type(node)
    if kind is list:
        return tuple([_decode(v, reader, nodes, depth + 1) for v in node])
    if kind is dict:
        return _decode_marked(node, reader, nodes, depth)
    if kind is int and node.bit_length() >= MAX_BITS:
        raise MalformedError("a number that is too long")
    return node


def _decode_marked(node: dict[str, Any], reader: _BodyReader, nodes: list[int], depth: int) -> Any:
    if "array" in node:
        return reader.array(*node["array"])
    if "slice" in node:
        start, stop, step = (_decode(v, reader, nodes, depth + 1) for v in node["slice"])
        if not all(end is None or isinstance(end, (int, float)) for end in (start, stop, step)):
            raise MalformedError("a slice of something else than numbers")
        return slice(start, stop, step)
    if "list" in node and reader.formulas:
        return [_decode(v, reader, nodes, depth + 1) for v in node["list"]]
    if "formula" in node and reader.formulas:
        return Formula(str(node["formula"]))
    if "unsupported" in node:
        return Unsupported(str(node["unsupported"])[:100])
    raise MalformedError("a value of no known kind")
