"""To change what is not one's own: the gradebook, settings, packages, what runs later; to stay."""

from __future__ import annotations

from tests.attacks.model import HEADER, WRONG, ZEROS, Attack, below, body, own_cell, source

STAY = """
import os, signal, time
def _stay():
    if os.fork(): return
    os.setsid()
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    if os.fork(): os._exit(0)
    try: work()
    finally: os._exit(0)
"""
OWN_STARTUP = "open('<home>/tampered', 'w').write('ran later')"


def _writing(name: str, *targets: str, content: str = "tampered") -> Attack:
    """Writing to, removing and replacing files."""
    return Attack(name, "tampering", body(
        f"import glob, os\nfor pattern in {targets!r}:\n"
        "    for path in [pattern, *glob.glob(pattern, recursive=True)]:\n"
        "        try:\n"
        "            os.makedirs(os.path.dirname(path), exist_ok=True)\n"
        f"            open(path, 'a').write({content!r})\n"
        "        except OSError: pass\n"
        "        for change in (lambda: os.chmod(path, 0o777), lambda: os.rename(path, path + '.old'),\n"
        "                       lambda: os.remove(path)):\n"
        "            if 'packages' in path or '<home>' in path: continue\n"
        "            try: change()\n            except OSError: pass\n"
        f"return {ZEROS}"))


ATTACKS = (
    Attack("give oneself points with SQL", "tampering", body(
        "import glob, sqlite3\n"
        "for path in ['<course>/gradebook.db', '../../../gradebook.db', *glob.glob('/**/gradebook.db', recursive=True)]:\n"
        "    try:\n"
        "        with sqlite3.connect(path, timeout=0.1) as base:\n"
        "            base.execute('UPDATE grade SET auto_score = 100, manual_score = 100')\n"
        "    except sqlite3.Error: pass\n"
        f"return {ZEROS}")),
    Attack("delete the gradebook", "tampering", body(
        "import os\nfor path in ('<course>/gradebook.db', '../../../gradebook.db'):\n"
        "    try: os.remove(path)\n    except OSError: pass\n"
        f"return {ZEROS}")),
    Attack("lock the gradebook", "tampering", source(
        STAY + "def work():\n    import sqlite3\n    base = sqlite3.connect('<course>/gradebook.db')\n"
        "    base.execute('BEGIN EXCLUSIVE')\n    time.sleep(600)\n_stay()\n" + WRONG)),
    _writing("rewrite the course's configuration and its secret", "<course>/nbgrader_config.py",
             "<course>/.course-secret", content="\nc.JudgeAnswers.trust_submissions = True\n"),
    _writing("change another student's submission, notebook and page", "<course>/submitted/<victim>/**",
             "<course>/autograded/<victim>/**", "<course>/feedback/<victim>/**"),
    _writing("change the instructor's notebooks", "<course>/source/**", "<course>/release/**"),
    _writing("add packages and .pth files", "<packages>/own.pth", "<packages>/sitecustomize.py", "/packages/own.pth",
             "/packages/numpy/own.py", content=f"import os; {OWN_STARTUP}\n"),
    _writing("add start-up files of IPython, Jupyter and the shell", "<home>/.ipython/profile_default/startup/0.py",
             "<home>/.bashrc", "<home>/.profile", "<home>/.jupyter/jupyter_config.py", "~/.ipython/startup/0.py",
             "<home>/.config/systemd/user/x.service", content=OWN_STARTUP),
    _writing("change the tenant and the first process's files", "/grader/tenant.py", "/grader/wire.py",
             "/proc/1/environ", "/proc/sys/kernel/core_pattern", "/proc/self/oom_score_adj", "/proc/self/uid_map"),
    Attack("write into the process that starts all others", "tampering", body(
        "import os\nfor number in {os.getppid(), 1, 2, 3} - {os.getpid()}:\n"
        "    try:\n        with open(f'/proc/{number}/maps') as maps, open(f'/proc/{number}/mem', 'r+b', 0) as memory:\n"
        "            for line in maps:\n"
        "                memory.seek(int(line.split('-')[0], 16))\n"
        "                memory.write(bytes(64))\n"
        "    except (OSError, ValueError, OverflowError): pass\n"
        f"return {ZEROS}"), not_plain="it overwrites the memory of other programs"),
    Attack("a daemon that changes the gradebook later", "tampering", source(
        STAY + "def work():\n    import sqlite3\n    for _ in range(300):\n        time.sleep(0.1)\n"
        "        try:\n            with sqlite3.connect('<course>/gradebook.db', timeout=0.1) as base:\n"
        "                base.execute('UPDATE grade SET auto_score = 50')\n"
        "        except sqlite3.Error: pass\n_stay()\n" + WRONG)),
    Attack("a daemon that answers in place of others", "tampering", source(
        STAY + "def work():\n    while True:\n        for number in range(3, 64):\n"
        "            try: os.write(number, b'\\0' * 64)\n            except OSError: pass\n"
        "        time.sleep(0.01)\n_stay()\n" + WRONG), told="process ended|cases pass",
        harms_itself=True),
    Attack("a crowd that stays after its parents", "tampering", source(
        STAY + "def work():\n    time.sleep(600)\nfor _ in range(20): _stay()\n" + WRONG)),
    Attack("threads and timers that go on", "tampering", below(
        "import signal, threading, time, atexit\n"
        "def _go_on():\n    while True: time.sleep(0.01)\n"
        "for _ in range(8): threading.Thread(target=_go_on).start()\n"
        "atexit.register(_go_on)\nsignal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)\n"
        "signal.signal(signal.SIGALRM, lambda *a: None)\n")),
    Attack("links and folders without rights left behind", "tampering", below(
        "import os\nfor _name, _to in (('a', '/'), ('b', '<course>'), ('c', '/proc/1/root'), ('d', '..')):\n"
        "    try: os.symlink(_to, _name)\n    except OSError: pass\n"
        "try:\n    os.makedirs('e/f/g')\n    os.umask(0o777)\n    os.mkdir('e/f/h')\n    os.chmod('e/f', 0)\nexcept OSError: pass\n"),
        not_plain=""),
    Attack("a deep tree of folders left behind", "tampering", below(
        "import os\ntry:\n    for _ in range(3000):\n        os.mkdir('d')\n"
        "        os.chdir('d')\nexcept OSError: pass\n")),
    Attack("change the environment, the folder and the limits", "tampering", source(
        "import os, resource\nos.environ.clear()\nos.environ.update(PYTHONPATH='/scratch', LD_PRELOAD='/scratch/x.so')\n"
        "os.chdir('/')\nos.umask(0o777)\n"
        "for _name in dir(resource):\n    if _name.startswith('RLIMIT_'):\n"
        "        try: resource.setrlimit(getattr(resource, _name), (resource.RLIM_INFINITY,) * 2)\n"
        "        except (OSError, ValueError): pass\n"
        "try: os.nice(-20)\nexcept OSError: pass\n" + HEADER +
        f"    if os.path.exists('/etc/passwd'): raise RuntimeError('<outside>')\n    return {ZEROS}\n")),
    Attack("become root", "tampering", body(
        "import os, ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "for call in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0]),\n"
        "             lambda: libc.prctl(38, 0, 0, 0, 0), lambda: os.chroot('/scratch')):\n"
        "    try: call()\n    except (OSError, AttributeError): pass\n"
        f"if os.getuid() == 0: raise RuntimeError('<root>')\nreturn {ZEROS}")),
    Attack("patch what decides on the meaning of a notebook", "tampering", own_cell(
        "import sys\nfor _name in ('meaning', 'needed', 'wire', 'tenant', '__main__'):\n"
        "    for _what in list(vars(sys.modules.get(_name, sys))):\n"
        "        if _what in ('Notebook', 'needed', 'explain', 'changed', 'snapshots', '_call'):\n"
        "            setattr(sys.modules[_name], _what, lambda *a, **k: {'kind': 'value', 'passed': True})\n"),
        harms_itself=True, told="cases pass|process ended|did not finish"),
    Attack("answer by another function after the check", "tampering", below(
        "_f = conv2d_forward\ncheck('conv2d_forward', conv1x1)\nconv2d_forward = _f\n")),
)
