"""Reads messages in the format of protocol buffers, part by part, from a memory map or bytes.

A message is a row of numbered fields (https://protobuf.dev/programming-guides/encoding/); their parts are not
copied. All functions raise NoMessage for bytes that are none, or that are not what was asked for.
"""

from collections.abc import Iterator

Bytes = memoryview


class NoMessage(Exception):
    """Bytes that are no message; the text says what is wrong with them."""


def fields(view: Bytes) -> Iterator[tuple[int, int | Bytes]]:
    """The fields of a message: their numbers, with a whole number or the bytes of a part."""
    at, end = 0, len(view)
    while at < end:
        key, at = _varint(view, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(view, at)
            yield number, value
            continue
        if kind == 2:
            length, at = _varint(view, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise NoMessage(f"an unknown kind of field at byte {at}")
        if not number or length > end - at:
            raise NoMessage(f"{length} bytes expected, {end - at} left")
        yield number, view[at : at + length]
        at += length


def _varint(view: Bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(view) or shift > 63:
            raise NoMessage("a number without end")
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def packed(value: int | Bytes) -> Iterator[int]:
    """A repeated whole number: one, or several in one part."""
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        item, at = _varint(value, at)
        yield item


def part(value: int | Bytes) -> Bytes:
    """The bytes of a field, a message in itself."""
    if isinstance(value, int):
        raise NoMessage("a number in place of a part")
    return value


def whole(value: int | Bytes) -> int:
    """The whole number of a field, 0 or more."""
    if not isinstance(value, int):
        raise NoMessage("a part in place of a number")
    return value


def text(value: int | Bytes | None) -> str:
    """The text of a field, "" where there is none; UnicodeDecodeError where it is not UTF-8."""
    return "" if value is None else str(bytes(part(value)), "utf-8")
