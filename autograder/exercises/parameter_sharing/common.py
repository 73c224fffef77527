"""What the exercises on parameter sharing share."""

NOTEBOOK = "02-parameter-sharing"
