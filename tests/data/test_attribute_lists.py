"""The attribute lists of a card: read, checked against the set, and said where files are missing."""

from pathlib import Path

import pytest

from sodbench.data.attribute_lists import read_lists, refuse_strangers
from sodbench.data.card import Card, load_card, read_card
from sodbench.errors import InputError, Note

CARD = 'title = "Own"\n[count]\npairs = 4\n'


def card(folder: Path, lists: str, head: str = CARD) -> Card:
    path = folder / "own.toml"
    path.write_text(f"{head}[attributes.lists]\n{lists}")
    return read_card(path)


def test_lists_are_files_or_names(tmp_path: Path) -> None:
    (tmp_path / "attributes").mkdir()
    (tmp_path / "attributes/AC.txt").write_text(
        "a\nimgs/b.jpg\r\n# a comment\n\nc.d"
    )  # no newline at the end
    (tmp_path / "attributes/none.txt").write_text("")
    lists = 'AC = "attributes/AC.txt"\nnone = "attributes/none.txt"\nhere = ["a.png", "b"]\nempty = []\n'
    read = read_lists(card(tmp_path, lists), tmp_path)
    assert read == {
        "AC": {"a", "b", "c.d"},
        "none": frozenset(),
        "here": {"a", "b"},
        "empty": frozenset(),
    }


def test_a_missing_file_is_noted(tmp_path: Path) -> None:
    one = card(tmp_path, 'AC = "AC.txt"\nhere = ["a"]\n')
    with pytest.warns(Note, match=r"own: 1 of 2 attribute lists are not in .*: AC.txt; .* left out"):
        assert read_lists(one, tmp_path) == {"here": {"a"}}


def test_names_that_the_set_lacks_are_refused(tmp_path: Path) -> None:
    one = card(tmp_path, "AC = []\n")
    refuse_strangers(one, "AC", ["a", "b"], ["a", "b", "c", "d"])
    with pytest.raises(
        InputError, match=r"own.toml: attributes.lists.AC: 2 of 3 names are no images of own: x, y;"
    ):
        refuse_strangers(one, "AC", ["a", "x", "y"], ["a", "b", "c", "d"])
    # two of the four are not here: a list may name two others, not three
    refuse_strangers(one, "AC", ["a", "x", "y"], ["a", "b"])
    with pytest.raises(InputError, match="3 of 4 names"):
        refuse_strangers(one, "AC", ["a", "x", "y", "z"], ["a", "b"])


def test_official_names_rule_out_strangers_in_a_part_of_a_set() -> None:
    ecssd = load_card("ecssd")
    refuse_strangers(ecssd, "AC", ["0001", "0999"], ["0001"])
    with pytest.raises(InputError, match="1 of 2 names are no images of ecssd: 1001"):
        refuse_strangers(ecssd, "AC", ["0001", "1001"], ["0001"])


@pytest.mark.parametrize(
    "lists", ['AC = "../AC.txt"', 'AC = "/etc/passwd"', "AC = 5", "AC = [1]", '" " = ["a"]']
)
def test_wrong_lists_are_named(tmp_path: Path, lists: str) -> None:
    with pytest.raises(InputError, match=r"own.toml: attributes.lists"):
        card(tmp_path, lists)
