"""A class: grading many submissions, here or on a cluster, and what is known of them.

`course` is the directory with its configuration, `grading` the loop that hands out batches and enters what comes back,
`batch` what a worker does, `pool` where workers are, `writer` and `ledger` the database, `pages` the feedback.
"""

import sys

# ruff: noqa: E402
# jsonschema compiles a grammar of web addresses as soon as this can be imported: 1.7 s for a check that no notebook
# asks for. Without it jsonschema leaves the check out.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from autograder.cohort.course import Course
from autograder.cohort.feedback import write_feedback
from autograder.cohort.grading import LOG_FILE, Report, grade, reports

__all__ = ["LOG_FILE", "Course", "Report", "grade", "reports", "write_feedback"]
