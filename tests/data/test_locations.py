"""The data root, and the data roots that are remembered for a reports folder."""

from pathlib import Path

import pytest

from sodbench.data.locations import cache_folder, data_root, known_roots, remember_root
from sodbench.errors import InputError
from sodbench.results.recorded_paths import portable


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SODBENCH_DATA", raising=False)
    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("platformdirs.user_data_path", lambda *args, **kwargs: tmp_path / "user")


def test_the_argument_comes_before_the_variable_and_this_before_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data_root().path == tmp_path / "user"
    monkeypatch.setenv("SODBENCH_DATA", str(tmp_path / "variable"))
    assert data_root().path == tmp_path / "variable"
    assert data_root(tmp_path / "argument").path == tmp_path / "argument"
    assert data_root(tmp_path / "argument").chosen_by == "--data-root"


def test_remembered_roots_are_known_the_latest_first_and_each_once(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    assert known_roots(reports) == [tmp_path / "user"]
    for name in ("first", "second", "first"):
        remember_root(reports, tmp_path / name)
    assert known_roots(reports) == [tmp_path / "first", tmp_path / "second", tmp_path / "user"]


def test_argument_and_variable_come_before_remembered_roots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = tmp_path / "reports"
    remember_root(reports, tmp_path / "remembered")
    monkeypatch.setenv("SODBENCH_DATA", str(tmp_path / "variable"))
    names = [root.name for root in known_roots(reports, tmp_path / "argument")]
    assert names == ["argument", "variable", "remembered", "user"]
    assert known_roots(reports, tmp_path / "remembered")[0] == tmp_path / "remembered"


def test_each_reports_folder_has_its_own_roots_however_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    remember_root(Path("reports"), Path("data"))
    assert known_roots(tmp_path / "reports")[0] == tmp_path / "data"
    assert known_roots(tmp_path / "other") == [tmp_path / "user"]


def test_only_so_many_roots_are_kept(tmp_path: Path) -> None:
    for number in range(30):
        remember_root(tmp_path / "reports", tmp_path / str(number))
    names = [root.name for root in known_roots(tmp_path / "reports")]
    assert names == [*(str(number) for number in range(29, 9, -1)), "user"]


def test_a_cache_that_cannot_be_written_or_read_does_no_harm(tmp_path: Path) -> None:
    cache_folder().write_text("a file where the folder should be")
    remember_root(tmp_path / "reports", tmp_path / "data")
    assert known_roots(tmp_path / "reports") == [tmp_path / "user"]


def test_a_damaged_memory_is_passed_over(tmp_path: Path) -> None:
    remember_root(tmp_path / "reports", tmp_path / "data")
    (memory,) = (cache_folder() / "data-roots").iterdir()
    memory.write_bytes(b"\xff\xfe")
    assert known_roots(tmp_path / "reports") == [tmp_path / "user"]
    remember_root(tmp_path / "reports", tmp_path / "data")
    assert known_roots(tmp_path / "reports")[0] == tmp_path / "data"


def test_a_user_without_a_home_needs_no_cache_for_a_record_and_is_told_where_one_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs under a number which no list of users holds."""

    def unknown(*_: object, **__: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("SODBENCH_CACHE")
    monkeypatch.setattr("platformdirs.user_data_path", unknown)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: Path("~/.cache"))
    with pytest.raises(InputError, match="no home folder; set SODBENCH_CACHE to a folder"):
        cache_folder()
    with pytest.raises(InputError, match="set SODBENCH_DATA"):
        data_root()
    reports = tmp_path / "reports"
    remember_root(reports, tmp_path / "data")
    assert known_roots(reports, tmp_path / "data") == [tmp_path / "data"]
    assert portable(tmp_path / "maps", reports) == "reports:../maps"
