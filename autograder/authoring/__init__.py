"""From the sources of an assignment to what a class gets."""
