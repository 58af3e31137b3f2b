"""The whole log as files that other tools read, and back from its own lines into an empty log."""
