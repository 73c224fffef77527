"""Strangers' text where people read it."""


def one_line(text: str) -> str:
    """A text on one line, without what a terminal would obey.

    Parameters
    ----------
    text : str
        Of a stranger: a name, a message, a path.

    Returns
    -------
    str
        Control characters, changes of direction and bytes that are no text become spaces.
    """
    return "".join(c if c.isprintable() else " " for c in text)
