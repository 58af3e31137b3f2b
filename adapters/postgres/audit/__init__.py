"""The Merkle tree over the log: kept, signed, proved and verified."""
