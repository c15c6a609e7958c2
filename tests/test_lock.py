"""One process at a time."""

import threading
from pathlib import Path

import pytest

from sodbench.errors import InputError
from sodbench.files import locked


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    waits = threading.Event()

    def second() -> None:
        with locked(tmp_path / "lock", waiting=waits.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path / "lock", waiting=lambda: order.append("never called")):
        thread.start()
        assert waits.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_waiting_may_give_up_and_leaves_the_lock_to_its_holder(tmp_path: Path) -> None:
    def give_up() -> None:
        raise InputError("in use")

    with locked(tmp_path / "lock"):
        for _ in range(2):
            with pytest.raises(InputError, match="in use"), locked(tmp_path / "lock", waiting=give_up):
                raise AssertionError("two hold the lock")
    with locked(tmp_path / "lock", waiting=give_up):
        pass


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    lock = locked(tmp_path / "file" / "lock", remedy="use --out")
    with pytest.raises(InputError, match=r"file: cannot be written to .*; use --out"), lock:
        pass
