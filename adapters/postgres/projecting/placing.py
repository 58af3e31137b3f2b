"""In which partition of a topic a stream's events are: by the hash that Kafka's clients have in common."""

import struct
from functools import lru_cache

_SEED = 0x9747B28C
_MIX = 0x5BD1E995
_BITS = 0xFFFFFFFF


@lru_cache(maxsize=200_000)
def partition_of(stream: str, partitions: int) -> int:
    """Where a record with this key is, among so many partitions."""
    return (_murmur2(stream.encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """MurmurHash2 by Austin Appleby, which is in the public domain, with Kafka's seed."""
    whole = len(data) & ~3
    mixed = _SEED ^ len(data)
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        word = (word * _MIX) & _BITS
        word ^= word >> 24
        mixed = ((mixed * _MIX) & _BITS) ^ ((word * _MIX) & _BITS)
    if rest := data[whole:]:
        mixed = ((mixed ^ int.from_bytes(rest, "little")) * _MIX) & _BITS
    mixed = ((mixed ^ (mixed >> 13)) * _MIX) & _BITS
    return mixed ^ (mixed >> 15)
