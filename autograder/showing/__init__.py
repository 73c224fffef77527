"""A result for people who look at it: as HTML, as a picture."""
