"""The schema module: what a table may say, and the message for each thing that it may not."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest

from sodbench.errors import InputError
from sodbench.schema import ABOVE_0, AT_LEAST_1, OneForAll, parse


@dataclass(frozen=True)
class Inner:
    sizes: tuple[float, ...] = (1.0,)
    note: str | None = None


@dataclass(frozen=True)
class Outer:
    name: str
    kind: Literal["a", "b"] = "a"
    gain: Annotated[float, ABOVE_0] = 1.0
    count: Annotated[int, AT_LEAST_1] = 1
    crop: Annotated[tuple[int, int] | None, OneForAll()] = None
    inner: Inner = field(default_factory=Inner)
    others: tuple[Inner, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    fast: bool = False


@dataclass(frozen=True)
class Zero:
    score: float | None
    count: int | None


def test_a_table_becomes_a_dataclass() -> None:
    table = {
        "name": "x",
        "gain": 2,
        "crop": 224,
        "inner": {"sizes": [1, 0.5]},
        "others": [{"note": "n"}],
        "extra": {"a": 1},
    }
    made = parse(Outer, table, "f.toml")
    assert made == Outer(
        "x", gain=2.0, crop=(224, 224), inner=Inner((1.0, 0.5)), others=(Inner(note="n"),), extra={"a": 1}
    )
    assert isinstance(made.gain, float)


@pytest.mark.parametrize("none", [None, False, "none"])
def test_toml_has_no_null(none: object) -> None:
    assert parse(Outer, {"name": "x", "crop": none}, "f.toml").crop is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "f.toml: name: missing; expected text"),
        ({"name": 3}, "f.toml: name: expected text, found 3"),
        ({"name": "x", "gian": 1}, "f.toml: unknown key 'gian' (did you mean 'gain'"),
        ({"name": "x", "kind": "c"}, "f.toml: kind: expected 'a' or 'b', found 'c'"),
        ({"name": "x", "gain": 0}, "f.toml: gain: expected a number above 0, found 0"),
        ({"name": "x", "gain": float("nan")}, "f.toml: gain: expected a finite number, found nan"),
        ({"name": "x", "gain": 10**400}, "f.toml: gain: expected a number, found 1000"),
        (
            {"name": "x", "count": 2**63},
            "f.toml: count: expected a whole number of at most 64 bits, found 922",
        ),
        (
            {"name": "x", "extra": {"a": [1, 16**9000]}},
            "f.toml: extra.a[1]: expected a whole number of at most",
        ),
        ({"name": "x\0"}, "f.toml: name: expected text without NUL characters"),
        ({"name": "x", "count": 0}, "f.toml: count: expected 1 or more, found 0"),
        ({"name": "x", "count": True}, "f.toml: count: expected a whole number, found True"),
        ({"name": "x", "count": 1.5}, "f.toml: count: expected a whole number, found 1.5"),
        ({"name": "x", "crop": [1, 2, 3]}, "f.toml: crop: expected a list of 2 values"),
        ({"name": "x", "inner": 1}, "f.toml: inner: expected a table, found 1"),
        ({"name": "x", "inner": {"sizes": ["a"]}}, "f.toml: inner.sizes[0]: expected a number, found 'a'"),
        ({"name": "x", "others": [{}, {"note": 1}]}, "f.toml: others[1].note: expected text, found 1"),
        ({"name": "x", "fast": 1}, "f.toml: fast: expected true or false, found 1"),
        ([], "f.toml: the file: expected a table, found []"),
    ],
)
def test_what_is_wrong_is_named(table: object, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse(Outer, table, "f.toml")
    assert message in str(error.value)


def test_all_unknown_keys_are_named_with_the_path_of_their_table() -> None:
    with pytest.raises(InputError, match=r"unknown key 'inner\.a'.*'inner\.b'"):
        parse(Outer, {"name": "x", "inner": {"a": 1, "b": 2}}, "f.toml")


def test_zero_is_not_none() -> None:
    assert parse(Zero, {"score": 0.0, "count": 0}, "f.json") == Zero(0.0, 0)


def test_keys_of_later_versions_are_passed_over_where_asked() -> None:
    table = {"name": "x", "later": 1, "inner": {"later": 2, "note": "n"}, "others": [{"later": 3}]}
    made = parse(Outer, table, "f.json", more=True)
    assert made == Outer("x", inner=Inner(note="n"), others=(Inner(),))
