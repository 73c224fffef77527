"""Weights in files: what was saved comes back; broken, strange and hostile files are refused, and cost nothing."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse import weights
from cnncourse.errors import ArgumentError, FileError
from cnncourse.layers import BatchNorm2d, Conv2d, Flatten, Linear
from cnncourse.network import Network
from tests.cnncourse.randomly import many

FORMS = (".npz", ".safetensors")


def build(seed=0, dtype=np.float32, features=4, name="network"):
    network = Network((2, 6, 6), name)
    for layer in (Conv2d(3, 3), BatchNorm2d(), Flatten(), Linear(features)):
        network.add(layer)
    network.initialize(seed, dtype)
    network.buffers["bn1.running_mean"][:] = np.arange(3) + seed
    return network


def values(network):
    return {**network.parameters, **network.buffers}


def same(first, second):
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name]) and first[name].dtype == second[name].dtype for name in first)


def npz(path, arrays, compression=zipfile.ZIP_STORED):
    """A file with these members, each an array or bytes."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in arrays.items():
            if isinstance(content, np.ndarray):
                buffer = io.BytesIO()
                np.lib.format.write_array(buffer, content)
                content = buffer.getvalue()
            archive.writestr(f"{name}.npy", content)
    return path


def header(shape, descr="<f4", claimed=None):
    """The beginning of an array in NumPy's format."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    text += b" " * (-len(text) % 64)
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text) if claimed is None else claimed) + text


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_was_saved_comes_back(form, dtype, tmp_path):
    first, second = build(1, dtype), build(2, np.float32)
    weights.save(first, tmp_path / f"some{form}")
    weights.load(second, tmp_path / f"some{form}")
    assert same(values(first), values(second))
    x = np.ones((1, 2, 6, 6), dtype)
    np.testing.assert_array_equal(first.forward(x), second.forward(x))
    for array in values(second).values():
        array += 1  # they belong to the network


def test_a_network_without_weights_takes_them_and_gives_none(form, tmp_path):
    path = tmp_path / f"some{form}"
    weights.save(build(1), path)
    fresh = Network((2, 6, 6))
    for layer in (Conv2d(3, 3), BatchNorm2d(), Flatten(), Linear(4)):
        fresh.add(layer)
    with pytest.raises(ArgumentError, match=r"no value for: conv1.weight, conv1.bias, .* 3 more; initialize\(\)"):
        weights.save(fresh, tmp_path / f"other{form}")
    weights.load(fresh, path)
    assert same(values(fresh), values(build(1)))


def test_precision_can_be_chosen(form, tmp_path):
    path = tmp_path / f"some{form}"
    weights.save(build(1, np.float32), path)
    network = build(0)
    weights.load(network, path, dtype=np.float64)
    assert {array.dtype for array in values(network).values()} == {np.dtype(np.float64)}
    with pytest.raises(ArgumentError, match="float32 or float64, float16"):
        weights.load(network, path, dtype=np.float16)


def test_other_programs_read_what_was_saved(form, tmp_path):
    path = tmp_path / f"some{form}"
    network = build(1)
    weights.save(network, path)
    if form == ".npz":
        with np.load(path, allow_pickle=False) as file:
            found = dict(file)
    else:
        import safetensors.numpy

        found = safetensors.numpy.load_file(path)
    assert same(dict(sorted(found.items())), dict(sorted(values(network).items())))


def test_files_of_numpy_are_read_packed_and_in_either_order_of_memory(tmp_path):
    network = build(1)
    arrays = {name: np.asfortranarray(array) for name, array in values(network).items()}
    assert not arrays["conv1.weight"].flags.c_contiguous
    np.savez_compressed(tmp_path / "some.npz", **arrays)
    other = build(2)
    weights.load(other, tmp_path / "some.npz")
    assert same(values(network), values(other))
    assert all(array.flags.c_contiguous and array.flags.writeable for array in values(other).values())


def test_views_and_transposed_weights_are_saved_as_they_look(form, tmp_path):
    path = tmp_path / f"some{form}"
    network = build(1)
    network.parameters["fc1.weight"] = np.asfortranarray(network.parameters["fc1.weight"])
    weights.save(network, path)
    other = build(2)
    weights.load(other, path)
    np.testing.assert_array_equal(other.parameters["fc1.weight"], network.parameters["fc1.weight"])


def test_everything_that_does_not_fit_is_named_and_nothing_is_changed(form, tmp_path):
    path = tmp_path / f"some{form}"
    network = build(1, name="donor")
    network.parameters["fc9.weight"] = network.parameters.pop("conv1.bias")
    network.parameters["fc1.bias"] = np.zeros(5, np.float32)
    write = weights._form(path).write
    write(path, values(network))
    other = build(2, name="taker")
    before = {name: array.copy() for name, array in values(other).items()}
    with pytest.raises(FileError, match=r"some\.\w+ does not fit taker: missing: conv1.bias; not in the network: "
                                        r"fc9.weight; of another shape: fc1.bias \(5,\) instead of \(4,\)"):
        weights.load(other, path)
    assert same(before, values(other))


def test_of_many_that_are_missing_a_few_are_named(tmp_path):
    path = npz(tmp_path / "some.npz", {})
    with pytest.raises(FileError, match=r"missing: conv1.weight, .* and 3 more"):
        weights.load(build(), path)


@pytest.mark.parametrize("dtype, says", [
    (np.float16, "conv1.bias .(float16|F16)"), (np.int64, "conv1.bias .(int64|I64)"),
    (np.float64, "all arrays have to be float32, or all float64; .* is float32 and conv1.bias is float64")])
def test_other_kinds_of_numbers_are_refused(form, dtype, says, tmp_path):
    path = tmp_path / f"some{form}"
    arrays = values(build(1))
    arrays["conv1.bias"] = arrays["conv1.bias"].astype(dtype)
    weights._form(path).write(path, arrays)
    with pytest.raises(FileError, match=says):
        weights.load(build(), path)


def test_foreign_byte_order_is_refused(tmp_path):
    arrays = values(build(1))
    arrays["conv1.bias"] = arrays["conv1.bias"].astype(">f4")
    with pytest.raises(FileError, match=r"neither float32 nor float64: conv1.bias \(>f4\)"):
        weights.load(build(), npz(tmp_path / "some.npz", arrays))


@pytest.mark.parametrize("name", ["some", "some.pt", "some.pkl", "some.npy", "some.npz.bin"])
def test_other_endings_are_refused(name, tmp_path):
    for do in (weights.save, weights.load):
        with pytest.raises(ArgumentError, match=r"\.npz or \.safetensors"):
            do(build(), tmp_path / name)


def test_without_safetensors_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ArgumentError, match="pip install safetensors"):
        weights.save(build(), tmp_path / "some.safetensors")


def test_a_missing_file_is_an_ordinary_error(form, tmp_path):
    with pytest.raises(FileNotFoundError):
        weights.load(build(), tmp_path / f"none{form}")


class Evil:
    """Leaves a file behind if anybody unpickles it."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_pickles_are_not_opened(tmp_path):
    arrays = dict(values(build(1)))
    pickled = np.empty(3, object)
    pickled[:] = [Evil(tmp_path / "gotcha")] * 3
    arrays["conv1.bias"] = pickled
    np.savez(tmp_path / "some.npz", **arrays)
    with pytest.raises(FileError, match=r"conv1.bias .Python objects, which are not read"):
        weights.load(build(), tmp_path / "some.npz")
    for content in (pickle.dumps(Evil(tmp_path / "gotcha")), header((3,), "|O") + pickle.dumps(Evil(tmp_path / "it"))):
        arrays["conv1.bias"] = content
        with pytest.raises(FileError):
            weights.load(build(), npz(tmp_path / "some.npz", arrays))
    (tmp_path / "some.npz").write_bytes(pickle.dumps(Evil(tmp_path / "gotcha")))
    with pytest.raises(FileError, match="damaged"):
        weights.load(build(), tmp_path / "some.npz")
    assert not (tmp_path / "gotcha").exists()


@pytest.mark.parametrize("content, says", [
    (header((10 ** 6, 10 ** 6)), r"conv1.bias \(1000000, 1000000\) instead of \(3,\)"),
    (header((3,)) + bytes(1 << 28), r"conv1.bias.npy is longer than an array of shape \(3,\)"),
    (header((3,), claimed=1 << 31) + bytes(1 << 28), "takes more than 10000 bytes"),
    (header((3,)) + bytes(11), "ends after 11 of 12 bytes"),
    (header((-3,)), "of another shape|damaged"),
    (b"", "damaged"), (b"\x93NUMPY", "damaged"), (b"\x93NUMPY\x09\x00" + bytes(100), "damaged"),
    (header((3,), "f4, f4"), "damaged|neither"), (header("__import__('os').system('true')"), "damaged"),
])
def test_arrays_that_lie_are_refused_at_no_cost(content, says, tmp_path):
    arrays = dict(values(build(1)))
    arrays["conv1.bias"] = content
    path = npz(tmp_path / "some.npz", arrays, zipfile.ZIP_DEFLATED)
    network = build()
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=says):
            weights.load(network, path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
    finally:
        tracemalloc.stop()


def test_names_cannot_lead_anywhere(tmp_path):
    (tmp_path / "inside").mkdir()
    arrays = dict(values(build(1))) | {"../../escaped": np.zeros(3, np.float32), "\x1b[31mred": np.zeros(1)}
    path = npz(tmp_path / "inside" / "some.npz", arrays)
    with pytest.raises(FileError, match=r"not in the network: \.\./\.\./escaped, '\\x1b\[31mred'"):
        weights.load(build(), path)
    assert os.listdir(tmp_path) == ["inside"]


def test_an_array_that_is_there_twice_is_refused(tmp_path):
    path = npz(tmp_path / "some.npz", values(build(1)))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("conv1.bias.npy", b"")
    with pytest.raises(FileError, match=r"conv1\.bias is in it twice"):
        weights.load(build(), path)


@many
@given(st.sampled_from(FORMS), st.data())
def test_damaged_files_are_refused_or_hold_what_they_should(tmp_path_factory, form, data):
    path = tmp_path_factory.mktemp("damaged") / f"some{form}"
    network = build(1)
    weights.save(network, path)
    raw = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw) - 1)):]
    else:
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(raw)
    other = build(2)
    before = {name: array.copy() for name, array in values(other).items()}
    try:
        weights.load(other, path)
    except FileError:
        assert same(before, values(other))
    else:  # safetensors has no checksums: a changed number is a number
        assert form == ".safetensors" or same(values(network), values(other))


def test_an_interrupted_save_leaves_the_old_file(form, tmp_path, monkeypatch):
    path = tmp_path / f"some{form}"
    weights.save(build(1), path)
    old = path.read_bytes()

    def fail(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        weights.save(build(2), path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_process_killed_while_saving_leaves_the_old_file(form, tmp_path):
    path = tmp_path / f"some{form}"
    weights.save(build(1), path)
    old = path.read_bytes()
    program = f"""
import os, signal
from cnncourse import weights
from tests.cnncourse.test_weights import build
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
weights.save(build(2), {str(path)!r})
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert path.read_bytes() == old


def test_a_link_is_followed_and_the_mask_for_new_files_holds(form, tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / f"some{form}", tmp_path / f"link{form}"
    link.symlink_to(target)
    before = os.umask(0o027)
    try:
        weights.save(build(1), link)
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
