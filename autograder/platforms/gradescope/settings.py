"""What the zip for Gradescope holds beside code: which assignment it judges, and how."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SETTINGS_FILE = "settings.json"
VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
"""When students see the results, in Gradescope's words."""


@dataclass(frozen=True)
class Settings:
    """What an instructor has chosen.

    Attributes
    ----------
    assignment : str
    visibility : str
    sandbox : str
        How submissions are isolated; see `isolation.choose`.
    seconds : dict of str to float
        Time limits, by their names.
    """

    assignment: str
    visibility: str
    sandbox: str
    seconds: dict[str, float]

    @classmethod
    def read(cls, source: Path) -> Self:
        """Read them from the folder into which the zip was unpacked."""
        return cls(**json.loads((source / SETTINGS_FILE).read_text(encoding="utf-8")))
