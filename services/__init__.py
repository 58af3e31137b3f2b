"""The use cases: recall what is known, let the domain decide, append what follows."""
