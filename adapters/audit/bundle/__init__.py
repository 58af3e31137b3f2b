"""A statement with all that it rests on, in one object that is checked without a database."""
