"""Weights in files: written whole or not at all, read without trust, and never as pickles, which could run code.

Nothing is taken from a file before it is known to fit: names, shapes and kinds of numbers are read first and compared
with the network's, so that no file, however it was made, can ask for more memory than the network needs.
"""

from __future__ import annotations

import io
import os
import secrets
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from cnncourse.errors import ArgumentError, FileError
from cnncourse.functional.arguments import Array

if TYPE_CHECKING:
    from cnncourse.network import Network

Shape = tuple[int, ...]

CHUNK = 1 << 20
"""Bytes read at a time."""

HEADER = 10_000
"""Bytes that the description of an array may take at most, as in NumPy."""

LISTED = 5
"""How many arrays of one kind a complaint names."""

KINDS = ("float32", "float64")


@dataclass(frozen=True)
class Entry:
    """What a file says of an array before it is read; `kind` is the name of its data type."""

    shape: Shape
    kind: str
    read: Callable[[], Array]


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network's parameters and buffers to a file.

    Parameters
    ----------
    network : Network
    path : str or path
        What it ends in says in which form: .npz is NumPy's, .safetensors that of the package of this name.

    Raises
    ------
    ArgumentError
        If the name ends in something else, a package is missing, or the network has no weights yet.
    OSError
        If the file cannot be written.

    Notes
    -----
    The file is written under another name in the same folder, and put in place when it is complete: whoever is
    interrupted keeps the old one. Arrays are called as in `Network.parameters` and `Network.buffers`; as in PyTorch's
    state_dict one dictionary holds both.
    """
    target = Path(os.path.realpath(path))
    form = _form(target)
    arrays = {name: np.ascontiguousarray(array) for name, array in {**network.parameters, **network.buffers}.items()}
    if missing := [name for name in (*network.parameter_shapes, *network.buffer_shapes) if name not in arrays]:
        raise ArgumentError(f"save: {_listed('there is no value for', missing)}; initialize() or a forward pass gives "
                            f"{network.name} its first weights")
    with _replacing(target) as beside:
        form.write(beside, arrays)


def load(network: Network, path: str | os.PathLike[str], *, dtype: Any = None) -> None:
    """Read parameters and buffers from a file into a network.

    Parameters
    ----------
    network : Network
        Stays as it is if anything is wrong with the file.
    path : str or path
        Ends in .npz or .safetensors.
    dtype : data type, optional
        float32 or float64, to compute with; by default that of the file.

    Raises
    ------
    FileError
        If arrays are missing, left over, of another shape, or not all of float32 or all of float64; or if the file is
        damaged, cut off, or not what its name says.
    ArgumentError
        If the name ends in something else, a package is missing, or `dtype` is neither.
    OSError
        If the file cannot be opened.
    """
    source = Path(path)
    form = _form(source)
    if dtype is not None and np.dtype(dtype).name not in KINDS:
        raise ArgumentError(f"load: dtype has to be float32 or float64, {np.dtype(dtype)} was given")
    wanted = {**network.parameter_shapes, **network.buffer_shapes}
    try:
        with form.open(source) as entries:
            _compare(entries, wanted, source, network.name)
            arrays = {name: entries[name].read().astype(dtype or entries[name].kind, copy=False) for name in wanted}
    except FileError:
        raise
    except form.damage as error:
        raise FileError(f"{source}: the file is damaged, or is no {source.suffix} file: {error}") from error
    network.parameters = {name: arrays[name] for name in network.parameter_shapes}
    network.buffers = {name: arrays[name] for name in network.buffer_shapes}
    network.gradients = {}


def _compare(entries: Mapping[str, Entry], wanted: Mapping[str, Shape], path: Path, name: str) -> None:
    """Complain of everything that does not fit at once."""
    found = {name: entry for name, entry in entries.items() if name in wanted}
    problems = [
        _listed("missing", [name for name in wanted if name not in entries]),
        _listed("not in the network", [name for name in entries if name not in wanted]),
        _listed("of another shape", [f"{name} {entry.shape} instead of {wanted[name]}"
                                     for name, entry in found.items() if entry.shape != wanted[name]]),
        _listed("neither float32 nor float64", [f"{name} ({entry.kind})" for name, entry in found.items()
                                                if entry.kind not in KINDS]),
    ]
    if any(problems):
        raise FileError(f"{path} does not fit {name}: {'; '.join(filter(None, problems))}")
    some = {entry.kind: name for name, entry in found.items()}
    if len(some) > 1:
        raise FileError(f"{path}: all arrays have to be float32, or all float64; {some['float32']} is float32 and "
                        f"{some['float64']} is float64")


def _listed(what: str, names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    # A stranger's file may call its arrays anything.
    shown = [name[:100] if name.isprintable() else repr(name[:100]) for name in names[:LISTED]]
    return f"{what}: {', '.join(shown)}{more}" if names else ""


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A name beside the target, that becomes the target if all goes well and vanishes otherwise."""
    beside = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    try:
        with open(beside, "xb") as file:
            permissions = os.stat(file.fileno()).st_mode
        yield beside
        os.chmod(beside, permissions)  # safetensors puts a file of its own there, which only its owner can read
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


@dataclass(frozen=True)
class Form:
    """One way to keep arrays in a file."""

    write: Callable[[Path, dict[str, Array]], None]
    open: Callable[[Path], Any]
    damage: tuple[type[Exception], ...]


def _form(path: Path) -> Form:
    if path.suffix == ".npz":
        # What zipfile, zlib and NumPy raise on files that were cut off, changed, or made to confuse.
        return Form(_write_npz, _open_npz, (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError,
                                            RuntimeError, ValueError, OverflowError))
    if path.suffix == ".safetensors":
        return _safetensors()
    raise ArgumentError(f"{path.name}: weights are kept in .npz or .safetensors files; {path.stem}.npz is a good name")


def _write_npz(path: Path, arrays: dict[str, Array]) -> None:
    with open(path, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


@contextmanager
def _open_npz(path: Path) -> Iterator[dict[str, Entry]]:
    with zipfile.ZipFile(path) as archive:
        entries: dict[str, Entry] = {}
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in entries:
                raise ValueError(f"{name} is in it twice")
            with archive.open(member) as file:
                shape, fortran, dtype = _header(file)
            kind = "Python objects, which are not read since that could run code" if dtype.hasobject else str(dtype)
            entries[name] = Entry(shape, kind, _reader(archive, member, shape, fortran, dtype))
        yield entries


def _header(file: IO[bytes]) -> tuple[Shape, bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an array in version {version} of NumPy's format, which plain numbers do not need")
    length = file.read(2 if version == (1, 0) else 4)
    # NumPy reads the header before it looks at its length, and packed well it may be gigabytes.
    if int.from_bytes(length, "little") > HEADER:
        raise ValueError(f"the description of an array takes more than {HEADER} bytes")
    header = io.BytesIO(length + file.read(int.from_bytes(length, "little")))
    shape, fortran, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(header)
    return shape, fortran, dtype


def _reader(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, shape: Shape, fortran: bool, dtype: np.dtype[Any]
) -> Callable[[], Array]:
    def read() -> Array:
        array = np.empty(shape[::-1] if fortran else shape, dtype)
        raw = array.reshape(-1).view(np.uint8)
        with archive.open(member) as file:
            _header(file)
            done = 0
            while done < raw.size:
                count = file.readinto(raw[done:done + CHUNK])  # type: ignore[attr-defined]
                if not count:
                    raise EOFError(f"{member.filename} ends after {done} of {raw.size} bytes")
                done += count
            if file.read(1):  # reading on to the end also compares the checksum
                raise ValueError(f"{member.filename} is longer than an array of shape {shape}")
        return np.ascontiguousarray(array.T) if fortran else array

    return read


def _safetensors() -> Form:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise ArgumentError("for .safetensors files the package safetensors is needed: pip install safetensors; .npz "
                            "files need nothing") from None

    def write(path: Path, arrays: dict[str, Array]) -> None:
        safetensors.numpy.save_file(arrays, path)

    @contextmanager
    def opened(path: Path) -> Iterator[dict[str, Entry]]:
        with safetensors.safe_open(path, framework="numpy") as file:
            yield {name: _entry(file, name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)

    return Form(write, opened, (safetensors.SafetensorError,))


def _entry(file: Any, name: str) -> Entry:
    declared = file.get_slice(name)
    kind = {"F32": "float32", "F64": "float64"}.get(declared.get_dtype(), declared.get_dtype())
    return Entry(tuple(declared.get_shape()), kind, lambda: np.array(file.get_tensor(name)))
