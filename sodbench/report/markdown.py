"""Text for markdown: names escaped, best and second best marked."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")


def escape(text: str) -> str:
    """`text` as literal markdown, also inside a table cell.

    >>> escape("a|b_<i>")
    'a\\\\|b\\\\_&lt;i&gt;'
    """
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def marked(text: str, mark: str) -> str:
    """Best in bold, second best underlined."""
    return {"best": f"**{text}**", "second": f"<u>{text}</u>"}.get(mark, text)
