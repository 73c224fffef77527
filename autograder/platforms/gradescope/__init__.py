"""Judging on Gradescope: `pack` makes what is uploaded, `run` and `judge` work there, `results` says what was found."""
