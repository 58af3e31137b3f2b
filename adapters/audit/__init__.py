"""The keys that sign checkpoints, when they do, and proofs that are checked without a database."""
