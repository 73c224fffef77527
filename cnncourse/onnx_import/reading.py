"""An ONNX file as plain facts: operations in order, constants, what goes in and what comes out.

A file may come from anywhere. Weights that it keeps in other files are read only from its own folder, and nothing is
believed about their size that the files do not bear out.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse.errors import ArgumentError, FileError, UnsupportedError

OLDEST = 7
"""Before this version of the operators Add and Gemm spread their inputs by other rules."""


@dataclass(frozen=True)
class Operation:
    """One node.

    Attributes
    ----------
    operator, name : str
    inputs, outputs : tuple of str
        Tensors; empty names stand for optional ones that are left out.
    attributes : dict
    version : int
        Of the set of operators.
    """

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    version: int

    def __str__(self) -> str:
        return f"node {self.name or self.outputs[0]!r} ({self.operator})"

    def settings(self, **defaults: Any) -> dict[str, Any]:
        """The attributes, with these defaults and no others.

        Raises
        ------
        UnsupportedError
            If there is one that is not listed.
        """
        for name, value in self.attributes.items():
            if name not in defaults:
                raise UnsupportedError(f"{self}: the attribute {name} = {value!r} is not known")
        return {**defaults, **self.attributes}

    def unsupported(self, attribute: str, rule: str) -> UnsupportedError:
        """What to raise if an attribute has a value that is right but not to be had here."""
        return UnsupportedError(f"{self}: {attribute} = {self.attributes.get(attribute)!r}; {rule}")


@dataclass(frozen=True)
class Tensor:
    """What a model says of its input: a dimension is None if it may be any."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Model:
    """A model as it is in the file."""

    name: str
    input: Tensor
    operations: tuple[Operation, ...]
    constants: dict[str, NDArray[Any]]
    outputs: tuple[str, ...]


def read(source: Any) -> Model:
    """Read a model.

    Parameters
    ----------
    source : str, path, bytes or onnx.ModelProto

    Returns
    -------
    Model

    Raises
    ------
    FileError
        If it is no model, or a damaged one.
    UnsupportedError
        If it is older than operator set 7, newer than the package onnx, or has several inputs.
    ArgumentError
        If the package onnx is missing.
    OSError
        If the file cannot be opened.
    """
    try:
        import onnx
    except ImportError:
        raise ArgumentError("to read ONNX files the package onnx is needed: pip install onnx") from None

    folder = Path(os.path.abspath(source)).parent if isinstance(source, str | os.PathLike) else None
    proto = source
    if not isinstance(source, onnx.ModelProto):
        try:
            proto = onnx.load_model_from_string(source if folder is None else Path(source).read_bytes())
        except OSError:
            raise
        except Exception as error:  # the kind of error depends on the version of protobuf
            raise FileError(f"{_called(source)} is no ONNX model, or a damaged one: {error}") from None
    graph = proto.graph
    version = _version(proto, onnx.defs.onnx_opset_version())
    if graph.sparse_initializer:
        raise UnsupportedError(f"{_called(source)}: sparse weights are not read")
    constants = {tensor.name: _array(tensor, folder) for tensor in graph.initializer}
    operations = tuple(_operation(node, version, folder) for node in graph.node)
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        raise UnsupportedError(f"{_called(source)}: a network has one input, the model has {len(inputs)}: "
                               f"{', '.join(value.name for value in inputs)}")
    given = [*constants, inputs[0].name, *(name for operation in operations for name in operation.outputs if name)]
    if twice := next((name for name, count in Counter(given).items() if count > 1), None):
        raise FileError(f"{_called(source)}: {twice!r} is given twice")
    outputs = tuple(value.name for value in graph.output)
    if not outputs:
        raise FileError(f"{_called(source)}: nothing comes out of the model")
    return Model(graph.name, _input(inputs[0], onnx), operations, constants, outputs)


def _called(source: Any) -> str:
    return str(source) if isinstance(source, str | os.PathLike) else "the model"


def _version(proto: Any, newest: int) -> int:
    versions = [int(entry.version) for entry in proto.opset_import if entry.domain in ("", "ai.onnx")]
    if not versions:
        raise FileError("the model does not say which version of the operators it uses, or has no graph")
    if not OLDEST <= versions[0] <= newest:
        raise UnsupportedError(f"the model uses version {versions[0]} of the operators; {OLDEST} to {newest} can be "
                               "read: onnx.version_converter makes one of another, and a newer package onnx reads more")
    return versions[0]


def _input(value: Any, onnx: Any) -> Tensor:
    kind = value.type.tensor_type
    dtypes = {onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.DOUBLE: np.float64}
    if kind.elem_type not in dtypes:
        raise UnsupportedError(f"the input {value.name} is of type {onnx.TensorProto.DataType.Name(kind.elem_type)}; "
                               "networks here compute with FLOAT or DOUBLE")
    shape = tuple(int(one.dim_value) if one.HasField("dim_value") else None for one in kind.shape.dim)
    return Tensor(value.name, shape, np.dtype(dtypes[kind.elem_type]))


def _operation(node: Any, version: int, folder: Path | None) -> Operation:
    import onnx

    plain = Operation(node.op_type, node.name, tuple(node.input), tuple(node.output), {}, version)
    if not node.output:
        raise FileError(f"the node {node.name!r} ({node.op_type}) has no output")
    if node.domain not in ("", "ai.onnx"):
        raise UnsupportedError(f"{plain}: operators of {node.domain} are not known, only those of ONNX itself")
    attributes: dict[str, Any] = {}
    for entry in node.attribute:
        if entry.type == onnx.AttributeProto.TENSOR:
            attributes[entry.name] = _array(entry.t, folder)
            continue
        value = onnx.helper.get_attribute_value(entry)
        attributes[entry.name] = value.decode(errors="replace") if isinstance(value, bytes) else value
    return Operation(plain.operator, plain.name, plain.inputs, plain.outputs, attributes, version)


def _array(tensor: Any, folder: Path | None) -> NDArray[Any]:
    """The numbers of a tensor."""
    from onnx import TensorProto, helper, numpy_helper

    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
        array = None if tensor.data_location == TensorProto.EXTERNAL else numpy_helper.to_array(tensor)
    except Exception as error:  # KeyError, ValueError, TypeError, or whatever the version of the package makes of it
        raise FileError(f"the constant {tensor.name!r} is damaged: {error}") from None
    if array is None:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        return _from_file(tensor.name, entries, tuple(tensor.dims), dtype, folder)
    return array


def _from_file(
    name: str, entries: dict[str, str], shape: tuple[int, ...], dtype: np.dtype[Any], folder: Path | None
) -> NDArray[Any]:
    """Numbers that lie in a file beside the model."""
    location = entries.get("location", "")
    if folder is None:
        raise FileError(f"the constant {name!r} is kept in the file {location!r}; give the path of the model, so that "
                        "it can be found")
    path = Path(os.path.realpath(folder / location))
    # Neither "..", an absolute path nor a link may lead out of the folder.
    if Path(os.path.realpath(folder)) not in path.parents:
        raise FileError(f"the constant {name!r} is kept in {location!r}, outside of the folder of the model; only "
                        "files inside of it are read")
    try:
        size, offset = int(entries.get("length", -1)), int(entries.get("offset", 0))
        facts = path.stat()
    except (ValueError, OSError) as error:
        raise FileError(f"the constant {name!r} cannot be read from {location!r}: {error}") from None
    wanted = dtype.itemsize
    for length in shape:
        wanted *= length
    if not stat.S_ISREG(facts.st_mode) or min((*shape, 0)) < 0 or wanted < 0 or size not in (-1, wanted) or (
            not 0 <= offset <= facts.st_size - wanted):
        raise FileError(f"the constant {name!r} of shape {shape} takes {wanted} bytes, and cannot be bytes {offset} to "
                        f"{offset + (wanted if size < 0 else size)} of {location!r}, which has {facts.st_size}")
    return np.fromfile(path, dtype, wanted // dtype.itemsize, offset=offset).reshape(shape)
