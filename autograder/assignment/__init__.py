"""A notebook of the course as a text: which cell is what, where it lies, its prose in other languages."""
