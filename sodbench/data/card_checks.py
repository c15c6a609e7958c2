"""What the keys of a card may hold: paths inside the set's folder, patterns, ranges, lists of names."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from sodbench.schema import FILE_PATH, Check

MOST_PAIRS = 10_000_000


def _is_inside(path: str) -> bool:
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts


def _is_pattern(text: str) -> bool:
    try:
        fits(text, "")
    except ValueError:
        return False
    return True


def fits(pattern: str, text: str) -> bool:
    """Whether a regular expression describes the whole text; ValueError where it is none.

    RE2, which Arrow brings, takes time linear in the text, whatever the pattern; Python's `re` does not.
    """
    import pyarrow
    import pyarrow.compute

    plain = text.encode("utf-8", "replace").decode()  # RE2 knows no bytes that are not UTF-8
    found = pyarrow.compute.match_substring_regex(pyarrow.array([plain]), rf"\A(?:{pattern})\z")
    return bool(found[0].as_py())


def _is_range(text: str) -> bool:
    if not text:
        return True
    numbers = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,18})", text)
    return numbers is not None and 0 <= int(numbers[2]) - int(numbers[1]) < MOST_PAIRS


def _are_lists(lists: Mapping[str, str | tuple[str, ...]]) -> bool:
    files = [one for one in lists.values() if isinstance(one, str)]
    return all(name.strip() for name in lists) and all(_is_inside(f) and FILE_PATH.holds(f) for f in files)


INSIDE = Check("a path inside the set's folder", _is_inside)
FILE_NAME = Check(
    "a plain file name", lambda name: bool(name) and not re.search(r"[/\\]", name) and name[0] != "."
)
PATTERN = Check("a regular expression without look-around and back-references (as RE2 reads it)", _is_pattern)
RANGE = Check("a range like '0001-1000'", _is_range)
LISTS = Check("named lists, each a file inside the set's folder or the names themselves", _are_lists)
PAIRS = Check("10 million or less", lambda count: count <= MOST_PAIRS)
