"""Text as the commands print it: rows in columns, and names from files without control characters."""

import re
from collections.abc import Collection, Sequence

# C0 but for line ends, tab and escape; delete and C1; separators of lines and paragraphs, marks of direction;
# lone surrogates
_ACTING = (
    r"\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f"
    r"\x7f-\x9f"
    r"\u200e\u200f\u2028-\u202e\u2066-\u2069"
    r"\ud800-\udfff"
)
_IN_TEXT = re.compile(rf"[{_ACTING}\r\x1b]")
_IN_A_LINE = re.compile(rf"[{_ACTING}\r\x1b\n]")
_BESIDE_BARS = re.compile(rf"[{_ACTING}]|\x1b(?!\[A)")


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """One line per row, every column as wide as its widest cell; the columns `right` are right-aligned.

    All rows have the same number of cells.

    >>> columns([("name", "pairs"), ("sod", "300")], right=[1])
    ['name  pairs', 'sod     300']
    """
    rows = [[visible(cell, line=True) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def visible(text: str, *, line: bool = False, bars: bool = False) -> str:
    """`text` without characters that act on a terminal: they become escapes as in JSON.

    These are control characters, those that turn the direction of text, and bytes that are no text. Line ends
    and tabs stay, with `line` only tabs; with `bars` also what a progress bar moves the cursor with.

    >>> visible("a\\x1b[31mb\\n"), visible("a\\nb", line=True)
    ('a\\\\u001b[31mb\\n', 'a\\\\u000ab')
    """
    pattern = _IN_A_LINE if line else _BESIDE_BARS if bars else _IN_TEXT
    return pattern.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def size_text(size: float) -> str:
    """Bytes as text, in kB (at least 1) or MB, with three digits.

    >>> size_text(6_240_000), size_text(48_300), size_text(1.5e9)
    ('6.24 MB', '48.3 kB', '1,500 MB')
    """
    number, unit = (size / 1e6, "MB") if size >= 999_500 else (max(1.0, size / 1e3), "kB")
    return f"{number:,.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"
