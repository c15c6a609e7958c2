"""How wide text is in LaTeX: Computer Modern, whose letters are at least as wide as those of Times.

The widths choose the type size of a table and the data sets that fit side by side. They are rounded up: a
table may be narrower than computed, not wider.
"""

import re
import unicodedata
from collections.abc import Callable

from sodbench.reporting.latex import escape

# widths of cmr10 in thousandths of its size (Knuth, Computer Modern Typefaces, 1986)
_BY_WIDTH = {
    278: "!',.:;[]il",
    306: "fj",
    333: "-",
    361: "I",
    389: "()t",
    392: "r",
    394: "s",
    444: "cez",
    472: "?",
    500: '"$*/0123456789\\ago{}',
    514: "J",
    528: "kqvxy",
    556: "Sbdhnpu",
    611: "Z",
    625: "L",
    653: "F",
    681: "EP",
    708: "B",
    722: "CTw",
    736: "R",
    750: "AHNUVXY",
    764: "D",
    778: "&+=@KOQ<>−±×",
    785: "G",
    833: "#%m",
    917: "M",
    1000: "|",
    1028: "W",
}
_WIDTHS = {letter: width / 1000 for width, letters in _BY_WIDTH.items() for letter in letters}
# as the T1 fonts draw them
_WIDTHS |= {" ": 0.334, "_": 0.78, "`": 0.52, "^": 0.62, "~": 0.62, "…": 1.35}
_WIDEST = 1.03
# small sizes are drawn wider: the width of a letter of cmr5 to cmr10 over its size, relative to cmr10
_WIDER = {5: 1.41, 6: 1.25, 7: 1.17, 8: 1.075, 9: 1.035, 10: 1.0}
BOLD, ITALIC = 1.17, 1.07
HANGING = "   "  # before the second line of a broken text: as wide as \\quad
_SCRIPT = {10: 7, 9: 6, 8: 6, 7: 5}  # the size of sub- and superscripts


def text_width(text: str, size: int, weight: float = 1.0) -> float:
    """The width of one line of `text` (not LaTeX), in points, at a `size` from 5 to 10.

    `weight` is BOLD or ITALIC for these.

    >>> round(text_width(".123", 8), 1)
    15.3
    """
    return sum(map(_ems, text)) * size * _WIDER[size] * weight


def _ems(letter: str) -> float:
    """The width of a letter as `latex.escape` writes it: letters that the fonts lack in ASCII."""
    if letter in _WIDTHS:
        return _WIDTHS[letter]
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    if plain:
        return sum(_WIDTHS.get(part, _WIDEST) for part in plain)
    return sum(_WIDTHS[part] for part in escape(letter)) if escape(letter).startswith("[") else _WIDEST


def broken(text: str, fits: Callable[[str], bool]) -> list[str]:
    """`text` in lines that fit, broken at spaces, else anywhere; from the second line on with `HANGING`.

    >>> broken("IS-Net (general use)", lambda line: len(line) <= 12)
    ['IS-Net', '   (general', '   use)']
    """
    lines, line = [], ""
    for word in text.split():
        if line.strip() and not fits(f"{line} {word}"):
            lines.append(line)
            line = HANGING
        elif line.strip():
            line += " "
        for letter in word:
            if line.strip() and not fits(line + letter):
                lines.append(line)
                line = HANGING
            line += letter
    return [*lines, line]


def superscript_width(text: str, size: int) -> float:
    """The width of `text` as a sub- or superscript of text of a `size`."""
    return text_width(text, _SCRIPT[size])


def math_width(formula: str, size: int) -> float:
    r"""The width of a formula as `labels.label` writes it: letters with sub- and superscripts.

    >>> round(math_width(r"F_{\beta}^{\max}", 10), 1)
    23.8
    """
    base = re.sub(r"[_^]\{(?:[^{}]|\{[^{}]*\})*\}", "", formula)
    scripts = re.findall(r"[_^]\{((?:[^{}]|\{[^{}]*\})*)\}", formula)
    slant = 0.0 if base.startswith(r"\mathrm") else 0.2 * size  # a slanted letter leans out of its width
    of_scripts = max((superscript_width(_letters(script), size) for script in scripts), default=0.0)
    return text_width(_letters(base), size) + slant + of_scripts


def _letters(formula: str) -> str:
    """The letters that a formula prints; a Greek letter counts as an m."""
    words = re.sub(r"\\(?:mathrm|mathit|mathcal)", "", formula)
    words = re.sub(r"\\(max|min)", r"\1", words)
    return re.sub(r"[{}]", "", re.sub(r"\\[a-z]+", "m", words))
