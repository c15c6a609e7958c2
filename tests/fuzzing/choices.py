"""Bytes of the fuzzer read as choices, and the edits that all formats share."""

import copy
import math
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

EDITS = 8  # at most, per input
VERBATIM, EDITED = 0, 1  # the first byte of an input

# values that parsers meet rarely: wrong types, limits, what a path, a pattern or a terminal takes for a sign
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 255, 10**6, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400,
    0.0, -0.0, 0.5, 1e-320, 1e308, -1e308, math.nan, math.inf, -math.inf,
    "", " ", "a", "@", "a@b", "..", "../x", "/", "/etc/passwd", "C:\\x", "~", "*", ".", "a/b", "x" * 300,
    "\x00", "\x1b[31m", "\n", "\u202e", "é", "(", "(a+)+$", "[", "0-0", "9-1", "0-99999999999", "none", "nan",
    "data-root:../..", "reports:/etc", "cache:..", "os:system", "builtins:exec", "file.py:f", "basnet",
    "pysodmetrics", "MAE@pysodmetrics", "1970-01-01T00:00:00+00:00", "0" * 64,
    [], [None], [[]], [1, 2], ["a", 1], [0.0] * 5, {}, {"a": 1}, {"": {}}, {"a": {"b": {"c": []}}},
)  # fmt: skip


class Choices:
    """Reads bytes as choices, one after the other; 0 where they have run out."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def more(self) -> bool:
        return self.at < len(self.data)

    def number(self, below: int) -> int:
        """A number from 0 to `below` - 1."""
        size = 1 if below <= 256 else 2 if below <= 65536 else 4
        taken = self.data[self.at : self.at + size]
        self.at += size
        return int.from_bytes(taken, "little") % max(1, below)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.number(len(options))]


def edited_bytes(content: bytes, choices: Choices) -> bytes:
    """A file's bytes with some flipped, set, cut, repeated or inserted."""
    changed = bytearray(content)
    for _ in range(EDITS):
        if not choices.more:
            break
        action, at = choices.number(6), choices.number(len(changed) + 1)
        if action == 0 and at < len(changed):
            changed[at] ^= 1 << choices.number(8)
        elif action == 1 and at < len(changed):
            changed[at] = choices.number(256)
        elif action == 2:
            del changed[at : at + 1 + choices.number(64)]
        elif action == 3:
            changed[at:at] = bytes(changed[at : at + 1 + choices.number(64)])
        elif action == 4:
            width = choices.pick((2, 4, 8))
            value = choices.pick((0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, (1 << 63) - 1))
            order = choices.pick(("little", "big"))
            changed[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, order)
        else:
            del changed[at:]
    return bytes(changed)


def edited_tree(tree: Any, choices: Choices) -> Any:
    """Nested tables and lists with some values replaced, removed, renamed, exchanged or nested deeply."""
    tree = copy.deepcopy(tree)
    for _ in range(EDITS):
        places = list(_places(tree))
        if not (choices.more and places):
            break
        action = choices.number(8)
        container, key = choices.pick(places)
        if action <= 2:
            container[key] = copy.deepcopy(choices.pick(STRANGE))
        elif action == 3:
            del container[key]
        elif action == 4:
            other, other_key = choices.pick(places)
            container[key] = copy.deepcopy(other[other_key])
        elif action == 5 and isinstance(container, dict):
            container[str(choices.pick(("", "a", "@", "name", "\x1b[0m", "é", "__class__")))] = container[key]
        elif action == 6:
            container[key] = [container[key]]
        else:
            container[key] = {"a": container[key]}
    return tree


def _places(tree: Any) -> Any:
    """Every (container, key) of nested dictionaries and lists, outer ones first."""
    items: Any = ()
    if isinstance(tree, dict):
        items = list(tree.items())
    elif isinstance(tree, list):
        items = list(enumerate(tree))
    for key, value in items:
        yield tree, key
        yield from _places(value)
