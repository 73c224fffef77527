"""What the class got wrong, as a page, as CSV files and as one picture."""

from autograder.report.figure import class_figure as class_figure
from autograder.report.write import write_report as write_report
