"""How processes start: with outputs that can be written, without imports that take long and serve nobody here."""

import codecs
import io
import sys

PLAIN = {"✓": "+", "✗": "-", "·": ".", "…": "...", "–": "-"}


def write_what_fits() -> None:
    """Let the two outputs show something else for characters that their encoding lacks, instead of an error."""
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(character, "?") for character in error.object[error.start:error.end]), error.end


def leave_out_address_grammar() -> None:
    """Keep jsonschema from the parser with which it checks international web addresses.

    It builds the parser as soon as rfc3987_syntax can be imported, 1.4 s of processor time and more, for a check that
    no notebook and no schema of Jupyter asks for; without it jsonschema leaves the check out. To be called before
    anything imports jsonschema.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
