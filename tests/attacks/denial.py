"""To keep the rest of the class from being graded: never to end, to end everything, to fill or to block what is shared."""

from __future__ import annotations

import json

from tests.attacks.model import (
    EXERCISE,
    HEADER,
    NONE,
    WRONG,
    ZEROS,
    Attack,
    Notebook,
    Target,
    below,
    cell,
    own_cell,
    source,
)

TIME = "did not finish"
DIED = "process ended"
DEAF = """
import os, signal, sys, time
for _number in range(1, 65):
    try: signal.signal(_number, signal.SIG_IGN)
    except (OSError, ValueError, RuntimeError): pass
"""


# Whatever fills memory or disks on every call harms itself: on a slow machine no time is left for the exercises behind.
def _calling(
    name: str, lines: str, told: str = "cases pass", before: str = "", not_plain: str = "", harms_itself: bool = False
) -> Attack:
    text = "".join(f"    {line}\n" for line in lines.strip("\n").splitlines())
    return Attack(name, "denial", source(before + HEADER + text + f"    return {ZEROS}\n"), told=told,
                  not_plain=not_plain, harms_itself=harms_itself)


def _instead(name: str, content: bytes, told: str = "not JSON") -> Attack:
    """A file that is no notebook."""
    return Attack(name, "denial", lambda notebook, target: content, points=NONE, unread=True, told=told)


def _huge_source(notebook: Notebook, target: Target) -> None:
    cell(notebook, EXERCISE)["source"] = WRONG + "#" * (100 << 20)


def _huge_line_of_helpers(notebook: Notebook, target: Target) -> None:
    """A sum of two thousand terms is fine for the parser and too deep for a recursive visitor."""
    own_cell("def helper():\n    return " + " + ".join("1" * 2000) + "\n")(notebook, target)


def _own_cells_without_number(notebook: Notebook, target: Target) -> None:
    own_cell("import sys")(notebook, target)
    notebook["cells"][:0] = [notebook["cells"][0] | {"id": f"own{i}", "source": f"sys.x{i} = {i}"} for i in range(2000)]


def _own_cells_without_end(notebook: Notebook, target: Target) -> None:
    own_cell("import sys")(notebook, target)
    endless = {"source": "import sys\nwhile True:\n    sys.argv"}
    notebook["cells"][:0] = [notebook["cells"][0] | endless | {"id": f"own{i}"} for i in range(50)]


def _deep_metadata(notebook: Notebook, target: Target) -> bytes:
    cell(notebook, EXERCISE)["source"] = WRONG
    text = json.dumps(notebook)
    return text.replace('"metadata": {', '"metadata": {"deep": ' + "[" * 900 + "]" * 900 + ", ", 1).encode()


ATTACKS = (
    _calling("an endless loop", "while True: pass", TIME),
    _calling("an endless loop that catches everything", "while True:\n    try:\n        while True: pass\n"
             "    except BaseException: pass", TIME),
    _calling("an endless loop deaf to all signals", "while True:\n    try: time.sleep(1)\n"
             "    except BaseException: pass", f"{TIME}|{DIED}", DEAF, harms_itself=True),
    _calling("an endless loop in C", "sum(iter(int, 1))", TIME),
    _calling("a regular expression that never ends", "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')", TIME),
    _calling("an exception whose text never ends", "class Slow(Exception):\n    def __str__(self):\n"
             "        while True: pass\nraise Slow", TIME),
    _calling("wait for a lock that is held", "import threading\nlock = threading.Lock()\nlock.acquire()\n"
             "lock.acquire()", TIME),
    _calling("wait for a process that waits", "import os\nif os.fork() == 0:\n    while True: os.sched_yield()\n"
             "os.wait()", TIME),
    _calling("stop oneself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", TIME,
             not_plain="the kernel would stand still until the end of all days; nbgrader waits for it"),
    Attack("a cell that never ends", "denial", below("while True: pass\n"), told=TIME),
    Attack("an import that takes for ever", "denial", below(
        "import sys, types\nclass _Slow(types.ModuleType):\n    pass\n"
        "open('slow_module.py', 'w').write('import time\\nwhile True: time.sleep(1)')\n"
        "sys.path.insert(0, '.')\nimport slow_module\n"), told=TIME),
    _calling("os._exit", "import os\nos._exit(0)", DIED),
    _calling("sys.exit", "import sys\nsys.exit(0)", "SystemExit|cases pass"),
    _calling("an exit of one's own kind", "class Out(BaseException): pass\nraise Out", DIED),
    _calling("os.abort", "import os\nos.abort()", DIED),
    _calling("a segmentation fault", "import ctypes\nctypes.string_at(0)", DIED),
    Attack("a cell that ends the process", "denial", below("import os\nos._exit(0)\n"), told="ended the process"),
    Attack("a cell that is no Python", "denial", source("def conv2d_forward(x)\n    return"), told="SyntaxError"),
    Attack("a cell with a null byte", "denial", source(f"{HEADER}    return 0 \0\n"), told="null byte|Error"),
    Attack("a cell of lone surrogates", "denial", source(WRONG + "# \ud800\udfff\n")),
    Attack("parentheses a hundred thousand deep", "denial", source("conv2d_forward = " + "(" * 100_000), told="Error"),
    _calling("a recursion of a hundred thousand levels",
             "import sys, threading\nsys.setrecursionlimit(10 ** 8)\ndef down(n): return 0 if n == 0 else down(n - 1)\n"
             "down(100_000)\nclass Deep:\n    def __repr__(self): return repr(self)\nrepr(Deep())", f"{DIED}|{TIME}|Error"),
    _calling("a fork bomb", "import os\nwhile True: os.fork()", f"{TIME}|{DIED}|Error",
             not_plain="would fill the process table of the machine"),
    _calling("a fork bomb of new sessions", "import os\nwhile True:\n    try:\n        if os.fork() == 0: os.setsid()\n"
             "    except OSError: pass", f"{TIME}|{DIED}|Error", not_plain="would fill the process table of the machine"),
    _calling("a bomb of threads", "import threading, time\nwhile True:\n"
             "    threading.Thread(target=time.sleep, args=(60,)).start()", f"{TIME}|{DIED}|Error",
             not_plain="would fill the process table of the machine"),
    _calling("a memory bomb", "kept = []\nwhile True: kept.append(bytearray(1 << 26))", f"MemoryError|{DIED}|{TIME}",
             not_plain="would fill the memory of the machine", harms_itself=True),
    _calling("a memory bomb by NumPy", "kept = []\nwhile True: kept.append(np.ones(1 << 24))", f"Memory|{DIED}|{TIME}",
             not_plain="would fill the memory of the machine", harms_itself=True),
    _calling("a flood of the disk", """
import os, glob
for number in range(10_000):
    for place in ('/scratch', '/tmp', '/var/tmp', '/dev/shm', '.', '<course>', '<home>'):
        try: open(f'{place}/flood{number}', 'wb').write(bytes(1 << 22))
        except OSError: continue
    if number > 20: break
raise OSError('flooded')""", "flooded", not_plain="would fill the disk"),
    _calling("a hundred thousand empty files", "for number in range(100_000):\n"
             "    open(f'f{number}', 'w').close()", f"cases pass|{TIME}|No space left", not_plain="would litter the disk",
             harms_itself=True),
    _calling("a flood of output", "import os, sys\nfor _ in range(100):\n    print('x' * 10 ** 6)\n"
             "    sys.stderr.write('y' * 10 ** 6)\n    os.write(1, b'z' * 10 ** 6)", "cases pass"),
    Attack("a flood of output while the cell is loaded", "denial", below(
        "import sys, warnings, logging\nfor _ in range(200):\n    print('x' * 10 ** 6)\n"
        "    print('y' * 10 ** 6, file=sys.stderr)\nwarnings.warn('z' * 10 ** 6)\nlogging.error('w' * 10 ** 6)\n")),
    _calling("a flood of displays", "from IPython.display import HTML, display\nfor _ in range(10_000):\n"
             "    display(HTML('<b>x</b>' * 1000))", "No module named 'IPython'"),
    _calling("an error message of fifty megabytes", "raise ValueError('x' * (50 << 20))", "ValueError"),
    _calling("a chain of errors without end", "error = ValueError('x')\nerror.__cause__ = error\n"
             "error.__notes__ = ['n' * 1000] * 10_000\nraise error", "It raised|ValueError"),
    _calling("kill the parent", "import os, signal\nfor _ in range(3): os.kill(os.getppid(), signal.SIGKILL)",
             f"{DIED}|cases pass|Error", harms_itself=True),
    _calling("stop the parent", "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)", "cases pass|" + TIME, harms_itself=True,
             not_plain="the parent is the kernel's manager, which would stand still"),
    _calling("signals to process 1, to the group and to everybody", """
import os, signal
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
    for target in (1, 2, 3, 0, -1):
        try: os.kill(target, number)
        except OSError: pass""", f"{DIED}|cases pass", not_plain="would end every program of the machine"),
    _calling("a sandbox where whoever cleans up is stopped", "import os, signal\nfor number in range(2, 9):\n"
             "    if number != os.getpid():\n        try: os.kill(number, signal.SIGSTOP)\n"
             "        except OSError: pass\nos.kill(os.getpid(), signal.SIGSTOP)", f"{TIME}|{DIED}",
             not_plain="would stop other programs of the machine"),
    _calling("close every descriptor", "import os\nos.closerange(0, 4096)", DIED),
    _calling("close every descriptor and stay", "import os\nos.closerange(0, 4096)\nwhile True: pass", f"{DIED}|{TIME}"),
    _calling("open every descriptor", "kept = []\nwhile True: kept.append(open('/dev/null'))", "Too many open files"),
    _calling("fill one's own pipe", """
import os
for number in range(3, 64):
    try:
        end = os.open(f'/proc/self/fd/{number}', os.O_WRONLY | os.O_NONBLOCK)
        while True: os.write(end, bytes(4096))
    except OSError: pass""", f"cases pass|{DIED}"),
    _calling("read the judge's questions away", "import os, threading\ndef read():\n    while True:\n"
             "        for number in range(3, 64):\n            try: os.read(number, 1 << 16)\n"
             "            except OSError: pass\nthreading.Thread(target=read, daemon=True).start()",
             f"{DIED}|{TIME}|cases pass"),
    Attack("a cell that IPython reads for minutes", "denial", own_cell("%a\n" * 20_000),
           told="took IPython too long"),
    Attack("own cells without number", "denial", _own_cells_without_number, told="more than 500"),
    Attack("own cells that never end, one after the other", "denial", _own_cells_without_end, told=TIME),
    Attack("helpers too deep for a recursive visitor", "denial", _huge_line_of_helpers),
    Attack("a cell of a hundred megabytes", "denial", _huge_source),
    Attack("metadata that are nested deeply", "denial", _deep_metadata, unread=True, told="not JSON"),
    _instead("a notebook nested a hundred thousand deep", b"[" * 100_000),
    _instead("a notebook that is no text", bytes(range(256)) * 100),
    _instead("an empty file", b""),
    _instead("a number of ten thousand digits", b'{"cells": ' + b"9" * 10_000 + b"}", "no cells"),
)
