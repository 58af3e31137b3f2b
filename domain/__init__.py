"""What the business means. Pure: no I/O, no clock, no randomness."""
