"""Weights on disk: loaded without running code, checked against the network, explained where they fail."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sodbench.errors import InputError, first_of
from sodbench.files import atomic_path

# where checkpoints of the field keep the state dict, and what wrappers put before its names
_WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net", "params", "weights", "ema")
_PREFIXES = ("module.", "_orig_mod.")


def load_state(path: Path) -> dict[str, Tensor]:
    """Reads a state dict: float32, without wrappers; never runs code from the file.

    Understands a plain state dict, one inside a checkpoint, names with `module.` or `_orig_mod.` before them,
    half precision, and the h5 file of Keras' BASNet. Raises InputError for anything else.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    if path.suffix.lower() in (".h5", ".hdf5"):
        from sodbench.models.keras_weights import load_keras_state

        return load_keras_state(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds for files that are none of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path}: not a PyTorch weights file that loads without running code ({reason}); "
            "save a plain state dict with torch.save(network.state_dict(), file)"
        ) from error
    state = _find_state(loaded)
    if state is None:
        kind = (
            f"keys {first_of([str(k) for k in loaded], 5)}" if isinstance(loaded, Mapping) else type(loaded)
        )
        raise InputError(f"{path}: holds no state dict (found {kind}); expected names with tensors")
    return {_strip(name): _single(tensor) for name, tensor in state.items()}


def load_into(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Loads strictly; a checkpoint of another network is explained in one line.

    `source` names the file in the error. BN's `num_batches_tracked` may be absent (files of PyTorch 0.4): it
    takes no part in what a network computes.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in own]
    shapes = [
        f"{name} {_shape(state[name])} in the file, {_shape(own[name])} in the network"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    if missing or unexpected or shapes:
        found = [
            f"{len(names)} {what} ({first_of(names, 3)})"
            for what, names in (
                ("missing", missing),
                ("unexpected", unexpected),
                ("of another shape", shapes),
            )
            if names
        ]
        raise InputError(
            f"{source}: not weights of this network: of its {len(own)} tensors and the file's {len(state)}, "
            f"{'; '.join(found)}"
        )
    network.load_state_dict(dict(state), strict=False)


def save_half(state: Mapping[str, Tensor], path: Path) -> None:
    """Writes a small file: weights of convolutions in half precision, vectors (biases, BN) as they are.

    Atomic, and the same tensors give the same bytes. A value that half precision cannot hold keeps its
    tensor in float32.
    """
    small: dict[str, Tensor] = {}
    for name, tensor in state.items():
        kept = tensor.detach().cpu().contiguous()
        if kept.is_floating_point() and kept.dim() > 1:
            half = kept.half()
            kept = half if bool(torch.isfinite(half).all()) else kept.float()
        small[name] = kept.clone()
    # through memory, because torch.save writes the file's own (temporary) name into the archive
    buffer = io.BytesIO()
    torch.save(small, buffer)
    with atomic_path(path) as part:
        part.write_bytes(buffer.getvalue())


def _find_state(loaded: Any) -> Mapping[str, Tensor] | None:
    if not isinstance(loaded, Mapping) or not loaded:
        return None
    if all(isinstance(k, str) and isinstance(v, Tensor) for k, v in loaded.items()):
        return loaded
    for key in _WRAPPERS:
        if (inner := _find_state(loaded.get(key))) is not None:
            return inner
    return None


def _strip(name: str) -> str:
    while name.startswith(_PREFIXES):
        name = name.split(".", 1)[1]
    return name


def _single(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
