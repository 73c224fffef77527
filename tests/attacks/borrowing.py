"""To hand in somebody else's convolution: the reference, a library, another student."""

from __future__ import annotations

from tests.attacks.model import EXERCISE, HEADER, WRONG, ZEROS, Attack, Notebook, Target, body, cell, own_cell, source

CALL_REFERENCE = "return F.conv2d(x, weight, bias, stride=stride, padding=padding)"
KEEP = """
import os, sys, time
_SOURCE = {source!r}
for _name in ("/scratch/answer", "/tmp/answer", "/dev/shm/answer", "/var/tmp/answer", "/run/answer", "/answer"):
    try: open(_name, "w").write(_SOURCE)
    except OSError: pass
try:
    from multiprocessing import shared_memory
    shared_memory.SharedMemory("answer", create=True, size=65536).buf[:len(_SOURCE)] = _SOURCE.encode()
except (ImportError, OSError, ValueError): pass
try:
    import ctypes
    _libc = ctypes.CDLL(None)
    _libc.shmat.restype = ctypes.c_void_p
    _number = _libc.shmget(0x1234, 65536, 0o1666)
    if _number >= 0: ctypes.memmove(_libc.shmat(_number, None, 0), _SOURCE.encode(), len(_SOURCE))
except (ImportError, OSError, AttributeError, ValueError): pass
os.environ["ANSWER"] = _SOURCE
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            for _name in ("/scratch/answer", "/tmp/answer"):
                try: open(_name, "w").write(_SOURCE)
                except OSError: pass
            time.sleep(0.01)
    os._exit(0)
"""
TAKE = """
import os
def _found():
    for name in ("/scratch/answer", "/tmp/answer", "/dev/shm/answer", "/var/tmp/answer", "/run/answer", "/answer"):
        try: yield open(name).read()
        except OSError: pass
    try:
        from multiprocessing import shared_memory
        yield bytes(shared_memory.SharedMemory("answer").buf).rstrip(b"\\0").decode()
    except Exception: pass
    try:
        import ctypes
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        number = libc.shmget(0x1234, 0, 0o666)
        if number >= 0: yield ctypes.string_at(libc.shmat(number, None, 0)).decode()
    except Exception: pass
    yield os.environ.get("ANSWER", "")
"""


def _keep(notebook: Notebook, target: Target) -> None:
    own = cell(notebook, EXERCISE)
    own["source"] += KEEP.format(source=own["source"])


def _copied(notebook: Notebook, target: Target) -> None:
    """The answer of one exercise under the names of all others."""
    for name in ("conv1x1", "dilated_conv2d"):
        cell(notebook, name)["source"] = f"{name} = conv2d_forward\n"
    cell(notebook, EXERCISE)["source"] = WRONG


ATTACKS = (
    Attack("call the reference", "borrowing", source(
        f"from cnncourse import functional as F\n{HEADER}    {CALL_REFERENCE}\n"),
        told="reference package does not exist"),
    Attack("call the reference by the name that the notebook gives it", "borrowing", body(CALL_REFERENCE),
           told="reference package does not exist"),
    Attack("call the reference where it is caught", "borrowing", body(
        f"try:\n    from cnncourse import functional as F\n    {CALL_REFERENCE}\nexcept ImportError:\n"
        f"    return {ZEROS}")),
    Attack("import the reference by its file", "borrowing", body(
        "import importlib.util, glob, sys\n"
        "paths = glob.glob('/*/cnncourse/functional/__init__.py') + glob.glob('/*/*/cnncourse/functional/__init__.py')\n"
        "paths += ['<course>/../cnncourse/functional/__init__.py', '<packages>/cnncourse/functional/__init__.py']\n"
        "specification = importlib.util.spec_from_file_location('F', paths[0])\n"
        "F = importlib.util.module_from_spec(specification)\nspecification.loader.exec_module(F)\n"
        + CALL_REFERENCE), told="FileNotFoundError"),
    Attack("put all packages of the machine on the path", "borrowing", body(
        "import sys\nsys.path[:0] = ['<packages>', '<course>', '<course>/..', '/work', '/usr/lib/python3/dist-packages']\n"
        "sys.modules.pop('cnncourse', None)\nimport cnncourse.functional as F\n" + CALL_REFERENCE),
        told="reference package does not exist|ModuleNotFoundError"),
    Attack("import the judge's exercises", "borrowing", body(
        "from autograder.exercises.contents import find\n"
        "return find('conv2d_forward').references['conv2d_forward'](x, weight, bias, stride, padding)"),
        told="ModuleNotFoundError|ImportError"),
    Attack("call PyTorch", "borrowing", source(
        f"import torch\n{HEADER}    return torch.nn.functional.conv2d(*map(torch.from_numpy, (x, weight, bias)),"
        " stride=stride, padding=padding).numpy()\n"), told="No module named 'torch'"),
    Attack("call SciPy", "borrowing", body(
        "from scipy.signal import correlate\nreturn correlate(x, weight, mode='valid')"),
        told="No module named 'scipy'"),
    Attack("call PyTorch from a cell of one's own", "borrowing", own_cell(
        "import torch\nimport scipy.signal\n", source(
            f"{HEADER}    return torch.conv2d(*map(torch.tensor, (x, weight, bias)), stride=stride).numpy()\n")),
        told="No module named 'torch'"),
    Attack("import the reference in a cell of one's own", "borrowing", own_cell(
        "from cnncourse.functional import conv2d\nimport cnncourse as _c\nfrom autograder import judge\n", source(
            f"{HEADER}    return conv2d(x, weight, bias, stride=stride, padding=padding)\n")), told="NameError"),
    Attack("start another Python with its own packages", "borrowing", body(
        "import subprocess\nfor program in ('<packages>/../../../bin/python', '/usr/bin/python3', 'python3'):\n"
        "    subprocess.run([program, '-c', 'import cnncourse.functional'], check=True)"),
        told="FileNotFoundError|Error"),
    Attack("install the reference from the network", "borrowing", body(
        "import subprocess, sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', 'torch'])"),
        told="Error"),
    Attack("leave the right answer behind for a friend", "borrowing", _keep, points={}, told=""),
    Attack("look for the answer that a friend left behind", "borrowing", source(
        TAKE + WRONG + "for _text in _found():\n    if 'def conv2d_forward' in _text:\n"
        "        exec(_text, globals())\n        break\n"), told="cases pass"),
    Attack("one answer under the name of others", "borrowing", _copied,
           points={EXERCISE: 0.0, "conv1x1": 0.0, "dilated_conv2d": 0.0}),
)
