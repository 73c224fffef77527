"""Gradescope, Canvas and Moodle: judging there, and feedback back to there."""
