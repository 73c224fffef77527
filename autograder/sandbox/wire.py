"""Values as bytes between the judge and the sandbox: never pickle, nothing is believed.

A message is one frame: 4 bytes length of the header, 8 bytes length of the body (both big-endian),
a JSON header, and the raw bytes of all arrays one after the other. A value is a small tree in the header:

    {"array": [dtype, shape, layout]}   next bytes of the body, in C order
    {"number": "1.5", "kind": "float"}  bool, int, float (as text, so that inf, nan and long ints survive)
    {"text": "..."} {"none": true} {"slice": [value, value, value]} {"tuple": [value, ...]}
    {"formula": "lambda x: ..."}        only from the judge to the sandbox
    {"unsupported": "type name"}

The reader checks every length before it allocates anything. This file also lies in the sandbox, alone:
it imports the standard library and NumPy only.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

PREFIX = struct.Struct(">IQ")
MAX_HEADER = 1 << 20
MAX_BODY = 1 << 26
MAX_NODES = 4096
MAX_DEPTH = 8
MAX_DIMENSIONS = 16
RAISES = re.compile(r"(^|[:;])\s*(raise|assert)\b")
"""A line of code that raises on purpose; whoever calls answers, here or in the sandbox, has to see it alike."""
DTYPES = {name: np.dtype(name) for name in (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128")}


class MalformedError(ValueError):
    """The bytes are not a message of this format, or a value is too large for it."""


class Unsupported:
    """Stands for a value of a type that no exercise asks for."""

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name


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
    body = io.BytesIO()
    nodes = [0]
    header = {**header, "value": _encode(value, body, nodes, 0)}
    head = json.dumps(header).encode()
    if len(head) > MAX_HEADER or body.tell() > MAX_BODY:
        raise MalformedError(f"the value is too large: {body.tell()} bytes, at most {MAX_BODY} fit")
    return PREFIX.pack(len(head), body.tell()) + head + body.getvalue()


def unpack(head: bytes, body: bytes, formulas: bool = False) -> tuple[dict[str, Any], Any]:
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
        header = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise MalformedError("the header is not JSON") from error
    if not isinstance(header, dict):
        raise MalformedError("the header is not an object")
    reader = _BodyReader(body, formulas)
    try:
        value = _decode(header.pop("value", None), reader, [0], 0)
    except (TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
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
    if len(prefix) < PREFIX.size:
        raise MalformedError("the message stops inside its length")
    head_size, body_size = PREFIX.unpack(prefix)
    if head_size > MAX_HEADER or body_size > MAX_BODY:
        raise MalformedError(f"the message claims {head_size} + {body_size} bytes; that is too much")
    head, body = read(head_size), read(body_size)
    if len(head) < head_size or len(body) < body_size:
        raise MalformedError("the message is cut short")
    return unpack(head, body, formulas)


def copy(value: Any) -> Any:
    """A value as the other side of the wire would receive it: fresh memory, the same layout."""
    frame = pack({}, value)
    head_size, _ = PREFIX.unpack(frame[: PREFIX.size])
    start = PREFIX.size + head_size
    return unpack(frame[PREFIX.size : start], frame[start:], formulas=True)[1]


def _encode(value: Any, body: io.BytesIO, nodes: list[int], depth: int) -> dict[str, Any]:
    nodes[0] += 1
    if nodes[0] > MAX_NODES or depth > MAX_DEPTH:
        raise MalformedError("the value has too many parts")
    if value is None:
        return {"none": True}
    if isinstance(value, np.ndarray):
        return _encode_array(value, body)
    if isinstance(value, (bool, np.bool_)):
        return {"number": str(bool(value)), "kind": "bool"}
    if isinstance(value, (int, np.integer)) and int(value).bit_length() < 1024:
        return {"number": str(int(value)), "kind": "int"}
    if isinstance(value, (float, np.floating)):
        return {"number": float(value).hex(), "kind": "float"}
    if isinstance(value, str):
        return {"text": str(value)}
    if isinstance(value, Formula):
        return {"formula": value.source}
    if isinstance(value, slice):
        return {"slice": [_encode(v, body, nodes, depth + 1) for v in (value.start, value.stop, value.step)]}
    if isinstance(value, list) and (table := _as_table(value)) is not None:
        return _encode_array(table, body)
    if isinstance(value, (tuple, list)):
        return {"tuple": [_encode(v, body, nodes, depth + 1) for v in value]}
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


def _encode_array(array: np.ndarray, body: io.BytesIO) -> dict[str, Any]:
    array = array.view(np.ndarray) if type(array) is not np.ndarray else array
    name = array.dtype.newbyteorder("=").name
    if name not in DTYPES or array.ndim > MAX_DIMENSIONS:
        return {"unsupported": f"array of {array.dtype.name}"[:100]}
    if array.nbytes > MAX_BODY:
        raise MalformedError(f"the array {array.shape} has {array.nbytes} bytes, at most {MAX_BODY} fit")
    layout = "C" if array.flags.c_contiguous else "F" if array.flags.f_contiguous else "strided"
    body.write(np.ascontiguousarray(array, DTYPES[name]).tobytes())
    return {"array": [name, list(array.shape), layout]}


class _BodyReader:
    def __init__(self, body: bytes, formulas: bool) -> None:
        self.body = body
        self.formulas = formulas
        self.position = 0

    def array(self, name: Any, shape: Any, layout: Any) -> np.ndarray:
        if name not in DTYPES or layout not in ("C", "F", "strided"):
            raise MalformedError("an array of an unknown kind")
        if (not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS
                or not all(type(n) is int and 0 <= n <= MAX_BODY for n in shape)):
            raise MalformedError("an array whose shape is not a list of sizes")
        size = math.prod(shape) * DTYPES[name].itemsize
        if size > len(self.body) - self.position:
            raise MalformedError("an array larger than the message")
        data = self.body[self.position : self.position + size]
        self.position += size
        flat = np.frombuffer(data, DTYPES[name]).reshape(shape)
        if layout == "strided" and shape:
            wide = np.empty((*shape[:-1], 2 * shape[-1]), DTYPES[name])
            view = wide[..., ::2]
            view[...] = flat
            return view
        return flat.copy(order="F" if layout == "F" else "C")


def _decode(node: Any, reader: _BodyReader, nodes: list[int], depth: int) -> Any:
    nodes[0] += 1
    if nodes[0] > MAX_NODES or depth > MAX_DEPTH or not isinstance(node, dict):
        raise MalformedError("a value that is not a tree of known parts")
    if "array" in node:
        return reader.array(*node["array"])
    if "number" in node:
        return _decode_number(node["number"], node.get("kind"))
    if "text" in node:
        return str(node["text"])
    if "slice" in node:
        start, stop, step = (_decode(v, reader, nodes, depth + 1) for v in node["slice"])
        return slice(start, stop, step)
    if "tuple" in node:
        return tuple(_decode(v, reader, nodes, depth + 1) for v in node["tuple"])
    if "formula" in node and reader.formulas:
        return Formula(str(node["formula"]))
    if "unsupported" in node:
        return Unsupported(str(node["unsupported"])[:100])
    if "none" in node:
        return None
    raise MalformedError("a value of no known kind")


def _decode_number(text: Any, kind: Any) -> bool | int | float:
    if not isinstance(text, str) or len(text) > 400:
        raise MalformedError("a number that is not short text")
    try:
        if kind == "bool":
            return {"True": True, "False": False}[text]
        return int(text) if kind == "int" else float.fromhex(text)
    except (ValueError, KeyError) as error:
        raise MalformedError("a number that is none") from error
