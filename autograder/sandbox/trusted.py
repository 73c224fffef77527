"""No walls at all: for submissions whose authors are trusted as much as whoever grades."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from autograder.sandbox import contents
from autograder.sandbox.exchange import Tenant
from autograder.sandbox.lending import end_process
from autograder.sandbox.settings import Limits, resource_limits

START = f"import sys; sys.path.insert(0, {str(contents.HERE)!r}); import tenant; tenant.main()"
BARE = START.replace("import tenant;", "import bare; bare.leave({names!r}, {stand_ins!r}); import tenant;")


def trusted_tenant(limits: Limits, *, bare: bool = False) -> Tenant:
    """A tenant in a process of its own; limits on resources still hold where the system has them.

    Parameters
    ----------
    limits : Limits
    bare : bool, optional
        Let it import what a sandbox has, and nothing else.
    """
    start = BARE.format(names=sorted({name.removesuffix(".py") for name in contents.allowed_packages()}),
                        stand_ins={name.removesuffix(".py"): str(path) for name, path in contents.STAND_INS.items()},
                        ) if bare else START
    folder = tempfile.TemporaryDirectory(prefix="answers-")
    inside_reads, given = os.pipe()
    answers, inside_writes = os.pipe()
    own = resource_limits(limits) | {"RLIMIT_NPROC": limits.processes}
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", start, json.dumps(own)], stdin=inside_reads, stdout=inside_writes,
            stderr=subprocess.DEVNULL, start_new_session=True, cwd=folder.name,
            env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"})
    finally:
        os.close(inside_reads)
        os.close(inside_writes)

    def end() -> str:
        end_process(process)
        folder.cleanup()
        return ""

    return Tenant(given, answers, end)
