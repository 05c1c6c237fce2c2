"""Words of others made fit to be shown: what is invisible, or would move a cursor, is written as an escape."""


def visible(text: str, keep: str = "") -> str:
    """The text with everything that is no visible sign escaped, but for the signs in `keep`.

    So a name cannot colour a terminal, forge a line, turn the direction of writing, or hide.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in keep else sign.encode("unicode_escape").decode("ascii")
        for sign in text
    )
