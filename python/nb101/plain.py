"""Text that files, servers and others have given, made fit to be shown.

A terminal obeys control characters, some characters turn lines around, and a line break begins a
line that looks like one's own. All text that is not of this package goes through here before it is
printed, put into a message or on a page.
"""

MOST = 2000
"""Characters of a message."""


def printable(text: str) -> str:
    r"""Replace all that cannot be printed by �, one for one: line breaks too.

    >>> printable("a\x1b[31mb\nc")
    'a�[31mb�c'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def one_line(text: str) -> str:
    """Make a message of a text: printable, and not so long that its end is lost."""
    if len(text) > MOST:
        text = f"{text[: MOST - 500]} ... {text[-500:]}"
    return printable(text)


def printable_lines(text: str) -> str:
    """Do as `printable` does with a text whose line breaks are one's own."""
    return "\n".join(map(printable, text.split("\n")))


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Say how many there are, with the noun as it then is.

    >>> counted(1, "cell"), counted(1234, "run"), counted(0, "query", "queries")
    ('1 cell', '1,234 runs', '0 queries')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
