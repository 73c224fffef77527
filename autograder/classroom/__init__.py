"""A course directory and its notebooks: what was handed in, how it is judged and marked, nbgrader's plugins."""
