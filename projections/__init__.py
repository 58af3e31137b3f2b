"""The questions people ask, each one file named after the question."""
