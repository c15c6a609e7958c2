"""Checkpoints that a training cannot continue from: one line, and no code of the file is run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sodbench.errors import InputError
from sodbench.training.job import train


class Runs:
    """Unpickling it would write a file."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return (open, ("ran", "w"))


def without(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {name: value for name, value in content.items() if name != key}


def other(key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {**content, key: value}


def refers_to_itself(content: dict[str, Any]) -> Any:
    content["version"] = content
    return content


def not_finite(content: dict[str, Any]) -> Any:
    content["model"]["head.weight"].fill_(float("nan"))
    return content


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "code": (other("more", Runs()), "not a readable checkpoint"),
    "no state": (without("model"), "model: expected a state dict, found 'NoneType'"),
    "no optimiser": (without("optimiser"), "optimiser: expected a table"),
    "wrong step": (other("iteration", "three"), "iteration: expected a whole number, found 'str'"),
    "wrong state": (other("model", {"w": 3}), "model: expected names with tensors"),
    "another network": (other("model", {"w": torch.zeros(2, 2)}), "not weights of this network"),
    "another optimiser": (other("optimiser", {"state": 3}), "the optimiser's state does not fit"),
    "itself": (refers_to_itself, "checkpoint of version dict, expected 1"),
    "a list": (lambda content: [content], "checkpoint of version 'list', expected 1"),
    "not finite": (not_finite, "values of head.weight are not finite"),
    "sparse": (other("model", {"w": torch.eye(3).to_sparse()}), "w is a sparse tensor"),
}


@pytest.fixture()
def trained(network: str, pairs_root: Path, tmp_path: Path) -> Callable[..., Any]:
    """Trains into `out`, again with `resume=True`."""

    def call(**options: Any) -> Any:
        return train(network, data_root=pairs_root, workers=0, device="cpu", out=tmp_path / "out", **options)

    return call


def test_a_broken_checkpoint_is_one_line(
    trained: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained()
    last = tmp_path / "out" / "last.pt"
    whole = last.read_bytes()
    for change, message in BROKEN.values():
        last.write_bytes(whole)
        torch.save(change(torch.load(last, weights_only=True)), last)
        with pytest.raises(InputError) as caught:
            trained(resume=True)
        text = str(caught.value)
        assert text.startswith(f"{last}: ") and message in text and "\n" not in text
    for content in (b"", whole[: len(whole) // 2], b"text"):
        last.write_bytes(content)
        with pytest.raises(InputError, match="not a readable checkpoint"):
            trained(resume=True)
    assert not (tmp_path / "ran").exists()
    last.write_bytes(whole)
    assert trained(resume=True).record["iterations"] == 3
