"""A process that turns cells into Python as IPython does: text after text, each with its length in front.

It runs as a script, alone, so that it can be ended: IPython's rules need minutes for some texts.
"""

from __future__ import annotations

import contextlib
import struct
import sys
import warnings

LENGTH = struct.Struct(">?I")
"""Whether it went well, and the bytes of the text; the first is for answers only."""
MEMORY_BYTES = 1 << 30


def main() -> None:
    """Read texts from standard input until it ends, and write what IPython makes of them, or why it does not."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    from IPython.core.inputtransformer2 import TransformerManager

    warnings.simplefilter("ignore")
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(LENGTH.pack(True, 0))  # ready
    answers.flush()
    while head := given.read(LENGTH.size):
        text = given.read(LENGTH.unpack(head)[1]).decode()
        try:
            good, result = True, TransformerManager().transform_cell(text)
        except Exception as error:  # whatever a stranger's text brings about
            good, result = False, f"{type(error).__name__}: {error}"[:300]
        data = result.encode("utf-8", "replace")
        answers.write(LENGTH.pack(good, len(data)) + data)
        answers.flush()


if __name__ == "__main__":
    del sys.path[0]  # this folder: our modules are none of IPython's business
    main()
