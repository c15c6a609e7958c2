"""Names become safe folders and come back."""

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodbench.errors import InputError
from sodbench.names import folder_name, original_name

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(TEXT)
def test_folder_is_one_safe_path_component_and_reversible(name: str) -> None:
    folder = folder_name(name)
    assert original_name(folder) == name
    assert PurePosixPath(folder).name == folder and PureWindowsPath(folder).name == folder
    assert folder not in (".", "..") and folder[0] not in ". " and folder[-1] not in ". "
    assert not set(folder) & set('<>:"/\\|?*\0\n')
    assert not PureWindowsPath(folder).is_reserved()


@given(TEXT, TEXT)
def test_two_names_never_share_a_folder(first: str, second: str) -> None:
    assert (folder_name(first) == folder_name(second)) == (first == second)


@pytest.mark.parametrize("name", ["BASNet", "U2-Net (ours)", "ecssd", "a_b.c"])
def test_usual_names_stay_readable(name: str) -> None:
    assert folder_name(name) == name


@pytest.mark.parametrize("name", ["", "x" * 300, "\ud800"])
def test_names_that_cannot_be_folders_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="name"):
        folder_name(name)
