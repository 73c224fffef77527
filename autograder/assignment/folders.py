"""Where the notebooks of an assignment lie."""

from __future__ import annotations

from pathlib import Path


def language_folder(folder: Path, language: str) -> Path:
    """Where the notebooks of a language lie below a folder: English ones directly, others in a folder of their own."""
    return folder if language == "en" else folder / language


def release_folder(root: Path, language: str) -> Path:
    """Where the student notebooks of a language lie; English ones where nbgrader looks for them."""
    return language_folder(root / "notebooks", language)
