"""Run JupyterLab, without what takes long at its start and serves nobody here."""

from __future__ import annotations

import sys

# jsonschema uses it, where it is there, to check international addresses, which no schema of Jupyter has. Importing it
# builds the parser of a grammar: 1.4 s of processor time, half of what the server needs until it answers.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

from jupyterlab.labapp import main  # noqa: E402

main()
