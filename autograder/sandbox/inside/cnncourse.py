"""Stands in the sandbox for the reference package, which is not there."""

raise ImportError("the reference package does not exist where answers are graded: an answer has to stand on its own")
