"""What the class got wrong, as a page, as CSV files and as one picture."""
