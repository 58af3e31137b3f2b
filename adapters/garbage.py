"""When the garbage collector may look at everything."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEVER = 1_000_000_000


@contextmanager
def no_full_collections() -> Iterator[None]:
    """Only what is young is collected meanwhile.

    Work that remembers a lot (states of streams, rows of a rebuild) would have all of it looked at again and
    again, at a cost that grows with the log, though none of it refers back to what refers to it.
    """
    before = gc.get_threshold()
    gc.set_threshold(5_000, 20, NEVER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
