"""Where strangers' code runs."""
