"""A class: grading many submissions, here or on a cluster, and what is known of them.

`grading` is the loop that hands out batches and enters what comes back, `batch` what a worker does, `pool` where
workers are, `writer` and `ledger` the database, `pages` the feedback; `trial` grades in a copy, `watching` grades what
arrives.
"""

from autograder.cohort.feedback import write_feedback
from autograder.cohort.grading import LOG_FILE, Report, attempts, forgeable, grade, reports

__all__ = ["LOG_FILE", "Report", "attempts", "forgeable", "grade", "reports", "write_feedback"]
