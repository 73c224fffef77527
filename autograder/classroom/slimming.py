"""Large notebook files without their outputs, so that what is left can be read in little memory.

A notebook of a hundred megabytes is nearly all outputs: pictures, tables, the prints of a training loop. Python's
reader would hold them all several times over, at four bytes a character if a single one is an emoji. Here the file is
looked through as bytes, mapped and not read, and only what stands around the outputs is copied.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
"""A text, or what opens, closes and separates. Possessive, so that a long text costs no memory; a text that never ends
is one, too, or it would be looked for again from each of its quotation marks."""

LONGEST_KEY = 16
LONGEST_TEXT = 5 << 20
"""Bytes of one text that are kept: more than any part of a notebook may have, so that the reader sees that it is."""


def slimmed(path: Path, most: int, most_tokens: int) -> bytes | None:
    """A notebook's JSON with empty outputs and without the notebook's own metadata.

    Parameters
    ----------
    path : Path
        UTF-8; whether it is JSON is for the reader to find out.
    most : int
        Bytes that may be left.
    most_tokens : int
        Texts and brackets that are looked at.

    Returns
    -------
    bytes or None
        None if more would be left, or there is too much to look at.
    """
    kept, size, start, depth, key, skipping = [], 0, 0, 0, b"", 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for count, token in enumerate(TOKEN.finditer(data)):
            if count > most_tokens:
                return None
            sign = data[token.start()]
            if sign in b"[{":
                depth += 1
                if not skipping and (key == b'"outputs"' or (depth == 2 and key == b'"metadata"')):
                    kept.append(data[start : token.end()])
                    size += token.end() - start
                    skipping = depth
                key = b""
            elif sign in b"]}":
                if skipping == depth:
                    start, skipping = token.start(), 0
                depth -= 1
            elif sign in b'"':
                key = data[token.start() : token.end()] if token.end() - token.start() < LONGEST_KEY else b""
                if not skipping and token.end() - token.start() > LONGEST_TEXT:
                    beginning = _beginning(data[token.start() : token.start() + LONGEST_TEXT])
                    kept += [data[start : token.start()], beginning]
                    size += token.start() - start + len(beginning)
                    start = token.end()
            else:
                key = b""
            if not skipping and size + token.end() - start > most:
                return None
        kept.append(data[start:])
    return b"".join(kept) if sum(map(len, kept)) <= most else None


def _beginning(text: bytes) -> bytes:
    """A text of JSON that was cut off, ended where no character and no escape is cut in two."""
    escape = text.rfind(b"\\", len(text) - 6)  # as long as one can be
    whole = text if escape < 0 else text[:escape].rstrip(b"\\")
    return whole.decode("utf-8", "ignore").encode() + b'"'
