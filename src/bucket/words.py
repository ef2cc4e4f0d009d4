"""Numbers of things in a sentence."""


def counted(number: int, noun: str) -> str:
    """A number with its noun, which takes an s for the plural: `1 file`, `2,300 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
