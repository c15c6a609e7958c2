"""Text for markdown: escaped names, numbers as the field prints them."""

import math
import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$])")


def escape(text: str) -> str:
    """`text` as literal markdown, also inside a table cell.

    >>> escape("a|b_<i>")
    'a\\\\|b\\\\_&lt;i&gt;'
    """
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def number(value: float, precision: int = 3) -> str:
    """A score as papers print it, without the leading zero; a dash where there is none.

    >>> number(0.8439), number(1.0002), number(float("nan")), number(-0.0001)
    ('.844', '1.000', '–', '.000')
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.{precision}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    if text.startswith("0."):
        return text[1:]
    if text.startswith("-0."):
        return "-" + text[2:]
    return text


def marked(text: str, mark: str) -> str:
    """Best in bold, second best underlined."""
    return {"best": f"**{text}**", "second": f"<u>{text}</u>"}.get(mark, text)
