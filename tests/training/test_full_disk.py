"""A checkpoint that does not fit on the disk: one line, and the former one stays."""

import errno
from pathlib import Path

import pytest
import torch

from sodbench.errors import InputError
from sodbench.training.checkpoint import save_checkpoint

FULL = {
    "the system's error": OSError(errno.ENOSPC, "No space left on device"),
    "torch's error": RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
    "torch's error of a short write": RuntimeError(
        "[enforce fail at inline_container.cc:671] . unexpected pos 128 vs 0"
    ),
}


def failing(error: Exception) -> object:
    def save(_: object, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise error

    return save


@pytest.mark.parametrize("case", FULL)
@pytest.mark.parametrize("former", [True, False])
def test_a_full_disk_keeps_the_former_checkpoint(
    case: str, former: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    if former:
        save_checkpoint(path, {"iteration": 3})
    monkeypatch.setattr(torch, "save", failing(FULL[case]))
    kept = "the former checkpoint is intact" if former else "there is no former checkpoint"
    with pytest.raises(InputError, match=rf"checkpoint.pt: .*no space left on the device\); {kept}"):
        save_checkpoint(path, {"iteration": 4})
    assert [one.name for one in tmp_path.iterdir()] == (["checkpoint.pt"] if former else [])
    if former:
        assert torch.load(path, weights_only=True)["iteration"] == 3


def test_another_error_of_the_system_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "save", failing(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(InputError, match=r"could not be saved \(Input/output error\)"):
        save_checkpoint(tmp_path / "c.pt", {})


def test_a_defect_is_no_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "save", failing(RuntimeError("cannot pickle this")))
    with pytest.raises(RuntimeError, match="cannot pickle"):
        save_checkpoint(tmp_path / "c.pt", {})
