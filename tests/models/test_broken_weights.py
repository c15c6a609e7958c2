"""Weights that would give a wrong map, or fill the memory: refused in one line that names file and tensor."""

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sodbench.errors import InputError
from sodbench.models.baseline import Baseline
from sodbench.models.initialisation import initialise
from sodbench.models.weights import load_into, load_state

State = dict[str, Any]


def state() -> State:
    torch.manual_seed(0)
    return {name: tensor.clone() for name, tensor in nn.Conv2d(3, 1, 3).state_dict().items()}


def saved(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


def load(path: Path) -> nn.Module:
    network = nn.Conv2d(3, 1, 3)
    load_into(network, load_state(path), str(path))
    return network


def with_value(value: float, kind: torch.dtype = torch.float32) -> State:
    content = state()
    content["weight"][0, 1, 2, 0] = value
    return {name: tensor.to(kind) for name, tensor in content.items()}


def quantised() -> torch.Tensor:
    with warnings.catch_warnings(action="ignore"):
        return torch.quantize_per_tensor(torch.zeros(1, 3, 3, 3), 1.0, 0, torch.qint8)


BROKEN: dict[str, tuple[Callable[[], State], str]] = {
    "nan": (lambda: with_value(float("nan")), "1 of the 27 values of weight are not finite"),
    "inf": (lambda: with_value(float("-inf")), "1 of the 27 values of weight are not finite"),
    "inf in half": (lambda: with_value(1e6, torch.float16), "1 of the 27 values of weight are not finite"),
    "beyond float32": (
        lambda: {**state(), "weight": torch.full((1, 3, 3, 3), 1e300, dtype=torch.float64)},
        "27 of the 27 values of weight are not finite",
    ),
    "complex": (lambda: {**state(), "bias": torch.zeros(1, dtype=torch.complex64)}, "bias is complex"),
    "whole numbers": (lambda: {**state(), "weight": state()["weight"].int()}, "weight holds whole numbers"),
    "bool": (lambda: {**state(), "weight": state()["weight"].bool()}, "weight holds whole numbers (bool)"),
    "meta": (
        lambda: {**state(), "weight": torch.zeros(1, 3, 3, 3, device="meta")},
        "weight is a meta tensor",
    ),
    "sparse": (lambda: {**state(), "weight": torch.zeros(1, 3, 3, 3).to_sparse()}, "weight is a sparse"),
    "quantised": (lambda: {**state(), "weight": quantised()}, "weight is a quantised tensor"),
    "an endless view": (
        lambda: {**state(), "weight": torch.zeros(1).half().expand(20_000_000_000, 10)},
        "its tensors take 800.0 GB",
    ),
    "keys of any size": (lambda: {("x" * 10_000,): torch.zeros(2, 2)}, "found keys tuple"),
    "a long name": (lambda: {"x" * 10_000: torch.zeros(2, 2)}, "1 unexpected (xxx"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_weights_are_one_line_that_names_file_and_tensor(name: str, tmp_path: Path) -> None:
    content, message = BROKEN[name]
    path = saved(content(), tmp_path / "w.pth")
    with pytest.raises(InputError) as caught:
        load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and message in text
    assert len(text) < 600 and "\n" not in text


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64, torch.float32])
def test_every_precision_is_taken(kind: torch.dtype, tmp_path: Path) -> None:
    own = state()
    network = load(saved({name: tensor.to(kind) for name, tensor in own.items()}, tmp_path / "w.pth"))
    expected = own["weight"].to(kind).float()
    assert torch.equal(network.get_parameter("weight"), expected)


def test_a_small_view_and_whole_numbers_where_the_network_has_them_are_taken(tmp_path: Path) -> None:
    content = {**state(), "weight": torch.full((1,), 0.5).expand(1, 3, 3, 3)}
    assert bool((load(saved(content, tmp_path / "w.pth")).get_parameter("weight") == 0.5).all())
    network = nn.BatchNorm2d(2)
    network.num_batches_tracked.fill_(7)
    path = saved(network.state_dict(), tmp_path / "bn.pth")
    fresh = nn.BatchNorm2d(2)
    load_into(fresh, load_state(path), str(path))
    assert fresh.num_batches_tracked == 7


def test_a_mask_that_the_network_itself_fills_with_infinity_is_taken(tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    network.register_buffer("mask", torch.tensor([[0.0, -float("inf")], [0.0, 0.0]]))
    path = saved(network.state_dict(), tmp_path / "w.pth")
    load_into(network, load_state(path), str(path))
    other = {**network.state_dict(), "mask": torch.tensor([[-float("inf"), 0.0], [0.0, 0.0]])}
    path = saved(other, tmp_path / "other.pth")
    with pytest.raises(InputError, match="1 of the 4 values of mask are not finite"):
        load_into(network, load_state(path), str(path))


@pytest.mark.parametrize("place", ["self", "model"])
def test_a_state_dict_that_refers_to_itself(place: str, tmp_path: Path) -> None:
    content: State = {} if place == "model" else state()
    content[place] = content
    with pytest.raises(InputError, match="holds no state dict"):
        load_state(saved(content, tmp_path / "w.pth"))


def test_a_checkpoint_that_refers_to_itself_holds_one_state_dict(tmp_path: Path) -> None:
    content: State = {"model": state()}
    content["again"] = content
    assert load_state(saved(content, tmp_path / "w.pth")).keys() == state().keys()


def test_an_archive_that_unpacks_to_much_more_is_not_unpacked(tmp_path: Path) -> None:
    plain, path = io.BytesIO(), tmp_path / "bomb.pth"
    torch.save({**state(), "more": torch.zeros(80_000_000)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for member in source.infolist():
            packed.writestr(member.filename, source.read(member))
    with pytest.raises(InputError, match=r"bomb\.pth: its tensors unpack to 0\.3 GB"):
        load_state(path)


def test_weights_from_which_a_training_begins_are_checked_too(tmp_path: Path) -> None:
    path = saved(with_value(float("nan")), tmp_path / "w.pth")
    network = nn.Conv2d(3, 1, 3)
    with pytest.raises(InputError, match=r"w\.pth: 1 of the 27 values of weight are not finite"):
        initialise(network, str(path))


def test_the_weights_that_a_callable_brings_are_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "nets.py"
    file.write_text(
        "import torch\nfrom torch import nn\n\n\ndef create():\n    network = nn.Conv2d(3, 1, 3, padding=1)\n"
        "    for p in network.parameters():\n        nn.init.constant_(p, float('nan'))\n    return network\n"
    )
    baseline = Baseline(name="mine", title="mine", network=f"{file}:create")
    with pytest.raises(InputError, match="27 of the 27 values of weight are not finite"):
        baseline.load()
