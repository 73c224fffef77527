"""ONNX files that are broken, strange or hostile: refused with words, without reading where they must not."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, external_data_helper, helper

from cnncourse import onnx_import
from cnncourse.errors import FileError, UnsupportedError
from tests.cnncourse.onnx_graphs import Graph, run
from tests.cnncourse.randomly import assert_near, many


def build():
    built = Graph((2, 8, 8), np.random.default_rng(0))
    built.node("Conv", "x", built.weight(3, 2, 3, 3), built.weight(3))
    built.node("Relu")
    built.node("Flatten")
    built.node("Gemm", built.last, built.weight(108, 4), built.weight(4))
    return built


def beside(folder, location="weights.bin"):
    """A model in this folder whose first weight lies in another file; the path, the model, the entry."""
    model = build().model()
    external_data_helper.set_external_data(model.graph.initializer[0], location)
    content = model.graph.initializer[0].raw_data
    model.graph.initializer[0].ClearField("raw_data")
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    return folder / "some.onnx", model, content


def save(path, model, **entries):
    """Write the model, after these changes to where the first weight lies."""
    tensor = model.graph.initializer[0]
    known = {entry.key: entry.value for entry in tensor.external_data} | {key: str(at) for key, at in entries.items()}
    del tensor.external_data[:]
    for key, value in known.items():
        tensor.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize("location, offset", [("weights.bin", 0), ("weights.bin", 16), ("inside/../inside/w.bin", 4)])
def test_weights_beside_the_model_are_read(tmp_path, location, offset):
    (tmp_path / "inside").mkdir()
    path, model, content = beside(tmp_path, location)
    (tmp_path / location).write_bytes(b"\x07" * offset + content + b"rest")
    save(path, model, offset=offset)
    x = np.random.default_rng(1).standard_normal((2, 2, 8, 8)).astype(np.float32)
    (expected,) = run(build().model(), x)
    assert_near(onnx_import.load(path).forward(x), expected, factor=5)
    save(path, model, offset=offset, length=len(content))
    assert_near(onnx_import.load(path).forward(x), expected, factor=5)


def test_weights_outside_of_the_folder_are_not_read(tmp_path):
    folder, outside = tmp_path / "models", tmp_path / "secret.bin"
    folder.mkdir()
    path, model, content = beside(folder)
    outside.write_bytes(content)
    (folder / "link.bin").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    (tmp_path / "models-too").mkdir()
    (tmp_path / "models-too" / "w.bin").write_bytes(content)
    for location in ("../secret.bin", str(outside), "link.bin", "up/secret.bin", "../models-too/w.bin", "..", "."):
        save(path, model, location=location)
        with pytest.raises(FileError, match="outside of the folder of the model"):
            onnx_import.load(path)


@pytest.mark.parametrize("entries, says", [
    ({"location": "none.bin"}, "No such file"), ({"length": 7}, "takes 216 bytes, and cannot be bytes 0 to 7"),
    ({"offset": 1}, "bytes 1 to 217 of 'weights.bin', which has 216"), ({"offset": -4}, "bytes -4 to 212"),
    ({"offset": 10 ** 30}, "cannot be bytes"), ({"offset": "many"}, "cannot be read from 'weights.bin'"),
    ({"location": "inside"}, "cannot be bytes"), ({"location": ""}, "outside of the folder"),
])
def test_places_in_files_that_are_not_there_are_refused(tmp_path, entries, says):
    path, model, content = beside(tmp_path)
    (tmp_path / "weights.bin").write_bytes(content)
    (tmp_path / "inside").mkdir()
    save(path, model, **entries)
    with pytest.raises(FileError, match=says):
        onnx_import.load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path):
    path, model, _ = beside(tmp_path, "pipe")
    os.mkfifo(tmp_path / "pipe")
    save(path, model)
    with pytest.raises(FileError, match="cannot be bytes"):
        onnx_import.load(path)


def test_a_model_that_is_no_file_has_no_folder(tmp_path):
    _, model, _ = beside(tmp_path)
    for source in (model, model.SerializeToString()):
        with pytest.raises(FileError, match=r"kept in the file 'weights\.bin'; give the path"):
            onnx_import.load(source)


def test_sizes_are_believed_only_if_the_numbers_are_there(tmp_path):
    path, model, content = beside(tmp_path)
    (tmp_path / "weights.bin").write_bytes(content)
    save(path, model)
    tracemalloc.start()
    try:
        for dims in ([1 << 20, 1 << 20], [1 << 62, 1 << 62], [-1, 54], [-2, -27], [3, 2, 3]):
            for tensor in (0, 2):
                lying = onnx.ModelProto()
                lying.CopyFrom(model)
                lying.graph.initializer[tensor].dims[:] = dims
                path.write_bytes(lying.SerializeToString())
                with pytest.raises((FileError, UnsupportedError)):
                    onnx_import.load(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


def test_a_network_of_any_stated_size_costs_nothing_before_its_weights_are_there():
    built = Graph((3, 1 << 30, 1 << 30), np.random.default_rng(0))
    built.node("Relu")
    built.node("Flatten")
    built.node("Gemm", built.last, built.weight(4, 4))
    with pytest.raises(FileError, match="it has to have"):
        onnx_import.load(built.model())


@pytest.mark.parametrize("content", [b"", b"\x00", b"PK\x03\x04", b"not a model at all", b"\x08" * 1000, bytes(1000)])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "some.onnx"
    path.write_bytes(content)
    with pytest.raises(FileError):
        onnx_import.load(path)
    with pytest.raises(FileNotFoundError):
        onnx_import.load(tmp_path / "none.onnx")


@many
@given(st.data())
def test_damaged_files_are_refused_or_read_but_never_crash(data):
    raw = bytearray(build().model().SerializeToString())
    kind = data.draw(st.sampled_from(["cut", "flip", "flip", "insert"]))
    at = data.draw(st.integers(0, len(raw) - 1))
    if kind == "cut":
        del raw[at:]
    elif kind == "flip":
        raw[at] ^= data.draw(st.integers(1, 255))
    else:
        raw[at:at] = data.draw(st.binary(min_size=1, max_size=8))
    try:
        network = onnx_import.load(bytes(raw))
    except (FileError, UnsupportedError):
        return
    assert network.output_shape


def test_graphs_that_are_none_are_refused():
    def refused(says, change):
        model = build().model()
        change(model.graph)
        with pytest.raises(FileError, match=says):
            onnx_import.load(model)

    refused("reads 'flatten_2', which nothing before it gives", lambda graph: graph.node.reverse())
    refused("reads 'nowhere', which nothing", lambda graph: graph.node[1].input.__setitem__(0, "nowhere"))
    refused("'conv_0' is given twice", lambda graph: graph.node[1].output.__setitem__(0, "conv_0"))
    refused("'x' is given twice", lambda graph: graph.node[1].output.__setitem__(0, "x"))
    refused("the output 'gemm_3' of the model", lambda graph: graph.node.pop())
    refused("nothing comes out", lambda graph: graph.output.pop())
    refused("has no output", lambda graph: graph.node[1].output.pop())
    refused(r"weight has shape \(3, 2, 3, 3\); .* \(1, 8, 8\)",
            lambda graph: graph.input[0].type.tensor_type.shape.dim[1].__setattr__("dim_value", 1))
    refused("does not fit its attributes or inputs",
            lambda graph: graph.node[0].attribute.append(helper.make_attribute("strides", [1])))
    refused("does not fit its attributes or inputs",
            lambda graph: graph.node[0].attribute.append(helper.make_attribute("strides", "two")))
    refused("Concat.* does not fit its inputs", lambda graph: graph.node.insert(0, helper.make_node(
        "Concat", ["weight_0", "weight_1"], ["y"], axis=0)) or graph.node[2].input.__setitem__(0, "y"))
