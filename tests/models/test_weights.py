"""Weights files: what loads, what is refused, and what is said about it."""

import hashlib
import pickle
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from sodbench.errors import InputError
from sodbench.models import create, load_baseline
from sodbench.models.weights import load_into, load_state, save_half, state_digest


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(3)
    return create("basnet-tiny").eval()


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model", "network"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
def test_wrapped_and_prefixed_states_load(tmp_path, tiny, wrapper, prefix):
    state = {prefix + name: tensor for name, tensor in tiny.state_dict().items()}
    torch.save({wrapper: state, "epoch": 3} if wrapper else state, tmp_path / "w.pth")
    loaded = load_state(tmp_path / "w.pth")
    assert list(loaded) == list(tiny.state_dict())
    assert all(torch.equal(loaded[n], t) for n, t in tiny.state_dict().items())


def test_half_file_is_small_repeatable_and_close(tmp_path, tiny):
    save_half(tiny.state_dict(), tmp_path / "a.pth")
    save_half(tiny.state_dict(), tmp_path / "b.pth")
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()
    assert (tmp_path / "a.pth").stat().st_size < 12e6
    loaded = load_state(tmp_path / "a.pth")
    for name, tensor in tiny.state_dict().items():
        assert loaded[name].dtype == tensor.dtype
        torch.testing.assert_close(loaded[name], tensor, rtol=1e-3, atol=1e-4)


def test_half_keeps_what_half_cannot_hold(tmp_path):
    save_half({"w": torch.full((2, 2), 1e6), "n": torch.tensor(7)}, tmp_path / "a.pth")
    loaded = load_state(tmp_path / "a.pth")
    assert torch.equal(loaded["w"], torch.full((2, 2), 1e6)) and loaded["n"] == 7


def test_code_in_a_file_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    with (tmp_path / "w.pth").open("wb") as file:
        pickle.dump({"w": Trap()}, file, protocol=2)
    with pytest.raises(InputError, match=r"w\.pth: not a PyTorch weights file"):
        load_state(tmp_path / "w.pth")
    torch.save({"w": Trap()}, tmp_path / "v.pth")
    with pytest.raises(InputError, match=r"v\.pth: not a PyTorch weights file"):
        load_state(tmp_path / "v.pth")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 cut off"])
def test_garbage_is_one_line(tmp_path, content):
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_state(tmp_path / "w.pth")
    assert "\n" not in str(caught.value)


def test_no_state_dict_inside(tmp_path):
    torch.save({"epoch": 3, "best": 0.5}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="holds no state dict"):
        load_state(tmp_path / "w.pth")
    torch.save([1, 2], tmp_path / "w.pth")
    with pytest.raises(InputError, match="holds no state dict"):
        load_state(tmp_path / "w.pth")


def test_another_network_is_explained_in_one_line(tiny):
    state = dict(tiny.state_dict())
    state["stranger.weight"] = state.pop("inconv.weight")
    state["inconv.bias"] = torch.zeros(7)
    before = tiny.state_dict()["inbn.weight"].clone()
    with pytest.raises(InputError) as caught:
        load_into(tiny, state, "mine.pth")
    message = str(caught.value)
    assert "\n" not in message and message.startswith("mine.pth: not weights of this network")
    assert "1 missing (inconv.weight)" in message
    assert "1 unexpected (stranger.weight)" in message
    assert "1 of another shape (inconv.bias 7 in the file, 16 in the network)" in message
    assert torch.equal(tiny.state_dict()["inbn.weight"], before)


def test_wide_weights_in_the_narrow_network_are_counted(golden_basnet, tiny):
    with pytest.raises(InputError, match=r"422 of another shape .* and 419 more|of another shape"):
        load_into(tiny, golden_basnet.state_dict(), "basnet.pth")


def test_old_files_without_batch_counters_load(tiny):
    state = {n: t for n, t in tiny.state_dict().items() if not n.endswith("num_batches_tracked")}
    load_into(create("basnet-tiny"), state, "old.pth")


def test_missing_weights_say_what_to_do(user_folder):
    with pytest.raises(InputError, match=r"sodbench baselines fetch basnet.*1s52ek_4YTDRt.*--weights FILE"):
        load_baseline("basnet").load()
    with pytest.raises(InputError, match=r"gone\.pth: no such weights file"):
        load_baseline("basnet").load(user_folder / "gone.pth")


def test_given_weights_load_with_their_digest(tmp_path, tiny):
    torch.save(tiny.state_dict(), tmp_path / "w.pth")
    loaded = load_baseline("basnet-tiny").load(tmp_path / "w.pth")
    assert loaded.weights_path == tmp_path / "w.pth" and len(loaded.weights_sha256) == 64
    assert not loaded.network.training
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(loaded.network(x)[0], tiny(x)[0])


def _optimiser(network):
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.randn(2, 3, 64, 64))[0].sum().backward()
    optimiser.step()
    return optimiser.state_dict()


CHECKPOINTS = {
    "any key": lambda state, network: {"epoch": 3, "model_state": state, "opt": _optimiser(network)},
    "two levels": lambda state, network: {
        "epoch": 3,
        "nets": {"saliency": state, "opt": _optimiser(network)},
    },
    "lightning": lambda state, network: {
        "state_dict": state,
        "optimizer_states": [_optimiser(network)],
        "callbacks": {"best": {"score": torch.tensor(0.5)}},
    },
    "moments by name": lambda state, network: {"net": state, "optimizer": {"exp_avg": dict(state)}},
    "our own": lambda state, network: {"model": state, "average": dict(state), "version": 1},
    "metrics": lambda state, network: {
        "net": state,
        "losses": {"bce": torch.tensor(1.0)},
        "w": torch.ones(2),
    },
    "class weights": lambda state, network: {"net": state, "weights": {"classes": torch.ones(2)}},
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_the_one_state_dict_of_a_checkpoint_is_taken(tmp_path, kind):
    network = create("basnet-tiny")
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.save(CHECKPOINTS[kind](state, network), tmp_path / "w.pth")
    loaded = load_state(tmp_path / "w.pth")
    assert list(loaded) == list(state) and all(torch.equal(loaded[n], t) for n, t in state.items())


@pytest.mark.parametrize("nested", [False, True])
def test_several_state_dicts_are_named(tmp_path, tiny, nested):
    several = {"model": tiny.state_dict(), "ema": tiny.state_dict()}
    torch.save({"nets": several, "epoch": 3} if nested else several, tmp_path / "w.pth")
    names = r"nets\.model, nets\.ema" if nested else "model, ema"
    keys = r"\['nets'\]\['model'\]" if nested else r"\['model'\]"
    with pytest.raises(InputError, match=rf"holds 2 state dicts \({names}\); .*torch.load\(FILE\){keys}"):
        load_state(tmp_path / "w.pth")


def test_an_optimisers_file_is_no_state_dict(tmp_path):
    torch.save(_optimiser(create("basnet-tiny")), tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"holds no state dict \(found keys state, param_groups\)"):
        load_state(tmp_path / "w.pth")


def _save_program(path):
    with warnings.catch_warnings(action="ignore"):  # torch advises torch.compile
        torch.jit.trace(nn.Conv2d(3, 1, 1), torch.zeros(1, 3, 4, 4)).save(path)


NOT_STATES = {
    "it holds a pickled torch.nn.modules.container.Sequential": lambda path: torch.save(
        nn.Sequential(nn.Conv2d(3, 1, 1)), path
    ),
    "it holds a pickled numpy": lambda path: torch.save(
        {"w": torch.zeros(2, 2), "best": np.float64(3)}, path
    ),
    "it is a TorchScript program": _save_program,
}


@pytest.mark.parametrize("message", NOT_STATES)
def test_what_is_no_state_dict_is_one_clean_line(tmp_path, message):
    path = tmp_path / "w.pth"
    NOT_STATES[message](path)
    with pytest.raises(InputError) as caught:
        load_state(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: not a PyTorch weights file ({message}")
    assert text.endswith("; save a plain state dict with torch.save(network.state_dict(), file)")
    assert text.isprintable() and "weights_only" not in text


def test_the_digest_of_a_state_is_the_one_that_is_stated():
    state = {"b": torch.tensor(3), "a": torch.tensor([[1.5, -2.0]])}
    stated = b"a float32 1x2\n" + np.array([1.5, -2], "<f4").tobytes()
    stated += b"b int64 scalar\n" + np.array(3, "<i8").tobytes()
    assert state_digest(state) == hashlib.sha256(stated).hexdigest()
    assert state_digest(dict(reversed(state.items()))) == state_digest(state)
    assert state_digest({**state, "a": state["a"].T.contiguous().T}) == state_digest(state)


@pytest.mark.parametrize(
    "other",
    [
        {"a": torch.zeros(4)},
        {"b": torch.zeros(2, 2)},
        {"a": torch.zeros(2, 2, dtype=torch.int32)},
        {"a": torch.full((2, 2), 1e-38)},
        {"a": torch.zeros(2, 2), "c": torch.zeros(0)},
    ],
)
def test_another_state_has_another_digest(other):
    assert state_digest(other) != state_digest({"a": torch.zeros(2, 2)})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.bool, torch.uint8, torch.complex64])
def test_every_type_has_a_digest(dtype):
    assert len(state_digest({"a": torch.ones(3).to(dtype), "empty": torch.ones(0).to(dtype)})) == 64
