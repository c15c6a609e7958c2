"""Weights as `.safetensors`: what loads wherever `.pth` does, and what is refused in their place."""

import io
import json
import struct
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.files import sha256_of
from sodbench.models import create, initialise, load_baseline
from sodbench.models.fetching import fetch_weights
from sodbench.models.weights import load_state

save_file = pytest.importorskip("safetensors.torch").save_file
State = dict[str, Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(3)
    return dict(create("basnet-tiny").state_dict())


def file_of(path: Path, header: dict[str, object], values: bytes) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)
    return path


@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod."])
def test_the_same_tensors_as_from_pth(prefix: str, tmp_path: Path, state: State) -> None:
    prefixed = {prefix + name: tensor for name, tensor in state.items()}
    torch.save(prefixed, tmp_path / "w.pth")
    save_file(prefixed, tmp_path / "w.safetensors", metadata={"format": "pt"})
    plain, safe = load_state(tmp_path / "w.pth"), load_state(tmp_path / "w.safetensors")
    assert plain.keys() == safe.keys() == state.keys()
    assert all(torch.equal(plain[name], safe[name]) for name in plain)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions_become_float32(kind: torch.dtype, tmp_path: Path) -> None:
    values = torch.tensor([[1.5, -2.25]])
    save_file({"w": values.to(kind), "n": torch.tensor(7)}, tmp_path / "w.safetensors")
    loaded = load_state(tmp_path / "w.safetensors")
    assert loaded["w"].dtype == torch.float32 and torch.equal(loaded["w"], values)
    assert loaded["n"].dtype == torch.int64


def test_weights_of_a_baseline_and_of_a_training(tmp_path: Path, state: State) -> None:
    path = tmp_path / "w.safetensors"
    save_file(state, path)
    loaded = load_baseline("basnet-tiny").load(path)
    assert loaded.weights_sha256 == sha256_of(path)
    assert torch.equal(loaded.network.state_dict()["inconv.weight"], state["inconv.weight"])
    fresh = create("basnet-tiny")
    assert initialise(fresh, str(path)).startswith(f"{len(state)} of {len(state)} tensors from {path}")
    assert torch.equal(fresh.state_dict()["inconv.weight"], state["inconv.weight"])


def test_a_toml_names_it_and_fetch_brings_it(here: Path, state: State) -> None:
    save_file(state, here / "given.safetensors")
    (here / "baselines").mkdir()
    toml = 'extends = "basnet-tiny"\ntitle = "Mine"\n[weights]\nfile = "mine.safetensors"\n'
    (here / "baselines" / "mine.toml").write_text(toml)
    baseline = load_baseline("mine")
    fetched = fetch_weights(baseline, str(here / "given.safetensors"))
    assert fetched.path == here / "baselines" / "mine.safetensors"
    assert baseline.load().weights_sha256 == fetched.sha256
    torch.save(state, here / "given.pth")
    with pytest.raises(InputError, match=r"given\.pth: another format than mine\.safetensors"):
        fetch_weights(baseline, str(here / "given.pth"), force=True)
    with pytest.raises(InputError, match=r"given\.safetensors: another format than basnet\.pth"):
        fetch_weights(load_baseline("basnet"), str(here / "given.safetensors"), force=True)


def test_a_run_takes_it_and_records_its_digest(
    network: tuple[str, Path], root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file({"gain": torch.tensor(4.0)}, here / "w.safetensors")
    job = ["run", network[0], "--weights", "w.safetensors", "--datasets", "sod", "--data-root", str(root)]
    assert main([*job, "--name", "net", "--quiet", "--device", "cpu"]) == 0
    record = json.loads((here / "reports/runs/net/sod/run.json").read_text())
    assert record["weights_sha256"] == sha256_of(here / "w.safetensors")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_under_this_name_is_refused(zipped: bool, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (open, (str(tmp_path / "sprung"), "w"))

    out = io.BytesIO()
    torch.save({"w": Trap()}, out, _use_new_zipfile_serialization=zipped)
    (tmp_path / "w.safetensors").write_bytes(out.getvalue())
    with pytest.raises(InputError, match=r"w\.safetensors: a file of torch\.save .*rename it to \.pth"):
        load_state(tmp_path / "w.safetensors")
    assert not (tmp_path / "sprung").exists()


def test_safetensors_under_another_name_says_how_to_rename(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(3)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"w\.pth: a safetensors file .*rename it to w\.safetensors"):
        load_state(tmp_path / "w.pth")


TWELVE = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}
BROKEN: dict[str, tuple[dict[str, object], bytes]] = {
    "overlapping": ({"a": TWELVE, "b": TWELVE}, bytes(12)),
    "outside": ({"a": TWELVE | {"data_offsets": [100, 112]}}, bytes(16)),
    "gap": ({"a": TWELVE}, bytes(16)),
    "cut": ({"a": TWELVE}, bytes(8)),
    "another-size": ({"a": TWELVE | {"shape": [4]}}, bytes(12)),
    "endless": ({"a": TWELVE | {"shape": [1 << 62, 1 << 62]}}, bytes(12)),
    "unknown-type": ({"a": TWELVE | {"dtype": "X" * 500}}, bytes(12)),
    "no-tensors": ({}, b""),
    "complex": ({"a": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
    "four-bit": ({"a": {"dtype": "F4", "shape": [24], "data_offsets": [0, 12]}}, bytes(12)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_does_not_fit_is_one_line(what: str, tmp_path: Path) -> None:
    path = file_of(tmp_path / "w.safetensors", *BROKEN[what])
    with pytest.raises(InputError) as caught:
        load_state(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message and len(message) < 400 + len(str(path))


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 64, struct.pack("<Q", 1 << 40) + b"{}"])
def test_garbage_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"w\.safetensors: not a safetensors file"):
        load_state(tmp_path / "w.safetensors")


def test_the_missing_package_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file({"w": torch.zeros(3)}, tmp_path / "w.safetensors")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(
        InputError, match=r'w\.safetensors: .*needs safetensors: pip install "sodbench\[hf\]"'
    ):
        load_state(tmp_path / "w.safetensors")
