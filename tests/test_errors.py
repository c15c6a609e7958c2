"""Names that do not exist, and long lists of files."""

import doctest

import sodbench.errors
from sodbench.errors import first_of, unknown_names


def test_the_docstrings_examples_hold() -> None:
    assert doctest.testmod(sodbench.errors).failed == 0


def test_nearest_names_whatever_the_case() -> None:
    text = str(unknown_names("method", ["dsss", "nothing-like-it"], ["DSS", "Amulet"]))
    assert text == "unknown method 'dsss' (did you mean 'DSS'?), 'nothing-like-it'; known: Amulet, DSS"


def test_many_and_long_unknown_names_are_cut() -> None:
    text = str(unknown_names("key", [f"{number}-{'x' * 5000}" for number in range(10_000)], ["title"]))
    assert len(text) < 2000 and "0-xxx" in text and text.endswith(" and 9990 more; known: title")


def test_long_lists_are_counted() -> None:
    assert first_of(["a", "b"]) == "a, b"
    assert first_of([str(i) for i in range(13)], 3) == "0, 1, 2 ... and 10 more"
