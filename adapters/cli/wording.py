"""Numbers of things in sentences."""


def counted(number: int, thing: str) -> str:
    """`1 deal`, `1,200 deals`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
