"""Text in columns."""

import doctest

import pytest

import sodbench.text
from sodbench.text import columns


def test_the_docstrings_example_holds() -> None:
    assert doctest.testmod(sodbench.text) == (0, 3)


def test_columns_are_as_wide_as_their_widest_cell_and_nothing_trails() -> None:
    assert columns([("a", "bb", ""), ("aaa", "b", "c")]) == ["a    bb", "aaa  b   c"]
    assert columns([("a", "bb"), ("aaa", "b")], right={0}) == ["  a  bb", "aaa  b"]
    assert columns([]) == []


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        columns([("a", "b"), ("a",)])
