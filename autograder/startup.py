"""What takes long to import and serves nobody here."""

import sys


def leave_out_address_grammar() -> None:
    """Keep jsonschema from the parser with which it checks international web addresses.

    It builds the parser as soon as rfc3987_syntax can be imported, 1.4 s of processor time and more, for a check that
    no notebook and no schema of Jupyter asks for; without it jsonschema leaves the check out. To be called before
    anything imports jsonschema.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
