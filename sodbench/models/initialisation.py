"""The initial weights of a fresh network: random, from ImageNet, or from a file.

A network names the classifier that its encoder is by `imagenet = ("resnet34", {"layer1.": "encoder1."})`:
torchvision's name, and the prefixes of that state dict with the network's own. A network with random weights
of its own kind has a method `initialise()`.
"""

import urllib.error
from pathlib import Path

import torch
from torch import Tensor, nn

from sodbench.errors import InputError, first_of
from sodbench.files import sha256_of
from sodbench.models.networks.layers import initialise_xavier
from sodbench.models.outputs import unwrapped
from sodbench.models.weights import check_values, load_state


def initialise(network: nn.Module, how: str = "default", seed: int = 0) -> str:
    """Sets all weights of `network` in place; returns one line that describes them.

    `how`: "default" is the network's own random initialisation (BASNet: Xavier, in the encoder as
    torchvision); "xavier" is Xavier everywhere; "imagenet" is the default with torchvision's ImageNet weights
    in the encoder; anything else is a weights file, from which every tensor of a known name and shape is
    taken. The same seed gives the same weights; the global random state is left as it was.
    """
    plain = unwrapped(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in plain.modules():
            if callable(reset := getattr(module, "reset_parameters", None)):
                reset()
        if how == "xavier":
            initialise_xavier([plain])
        elif callable(own := getattr(plain, "initialise", None)):
            own()
    if how in ("default", "xavier"):
        return f"random weights ({how}, seed {seed})"
    if how == "imagenet":
        return _load_encoder(plain, seed)
    return _load_fitting(plain, Path(how))


def imagenet_file(classifier: str) -> Path:
    """The file of torchvision's first ImageNet weights of `classifier` ("resnet34"), downloaded if absent.

    It is kept where torchvision keeps it. Its hash is checked each time against torchvision's entry.
    Raises InputError if it cannot be downloaded; the message says where to put it.
    """
    import torchvision

    url: str = torchvision.models.get_model_weights(classifier).IMAGENET1K_V1.url
    return fetch_hashed(url, Path(torch.hub.get_dir()) / "checkpoints")


def fetch_hashed(url: str, folder: Path) -> Path:
    """Downloads `<name>-<first digits of its SHA-256>.<suffix>` unless it is there, and checks it."""
    path = folder / url.rsplit("/", 1)[1]
    digits = path.stem.rsplit("-", 1)[1]
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), hash_prefix=digits, progress=False)
        except (urllib.error.URLError, OSError) as error:
            raise InputError(
                f"cannot download {url} ({error}); fetch it elsewhere and put it at {path}"
            ) from error
        except RuntimeError as error:  # what torch.hub raises for a wrong hash
            raise InputError(f"{url}: not the expected file: its SHA-256 must begin with {digits}") from error
    digest = sha256_of(path)
    if not digest.startswith(digits):
        raise InputError(
            f"{path}: SHA-256 begins with {digest[:8]}, expected {digits}; delete it and try again"
        )
    return path


def _load_encoder(network: nn.Module, seed: int) -> str:
    source: tuple[str, dict[str, str]] | None = getattr(network, "imagenet", None)
    if source is None:
        raise InputError(
            f"{type(network).__name__} has no encoder with ImageNet weights; "
            'use initialisation = "default" or a weights file'
        )
    classifier, prefixes = source
    path = imagenet_file(classifier)
    state = load_state(path)
    own = network.state_dict()
    taken = {
        ours + name[len(theirs) :]: tensor
        for name, tensor in state.items()
        for theirs, ours in prefixes.items()
        if name.startswith(theirs)
    }
    wrong = [n for n, t in taken.items() if n not in own or own[n].shape != t.shape]
    if wrong:
        raise InputError(
            f"{classifier}'s ImageNet weights do not fit this network's encoder ({first_of(wrong, 3)}); "
            'it needs the full width, or initialisation = "default"'
        )
    check_values(own, taken, str(path))
    network.load_state_dict(taken, strict=False)
    return (
        f"encoder from torchvision's {classifier} IMAGENET1K_V1 ({len(taken)} tensors, sha256 "
        f"{sha256_of(path)}), the rest random (default, seed {seed})"
    )


def _load_fitting(network: nn.Module, path: Path) -> str:
    if not path.is_file():
        raise InputError(
            f"initialisation: expected 'default', 'xavier', 'imagenet' or a weights file, found {str(path)!r}"
        )
    state = load_state(path)
    own = network.state_dict()
    fits: dict[str, Tensor] = {n: t for n, t in state.items() if n in own and own[n].shape == t.shape}
    if not fits:
        raise InputError(f"{path}: none of its {len(state)} tensors fits this network")
    check_values(own, fits, str(path))
    network.load_state_dict(fits, strict=False)
    rest = [n for n in own if n not in fits]
    random = f", random: {first_of(rest, 3)}" if rest else ""
    return f"{len(fits)} of {len(own)} tensors from {path} (sha256 {sha256_of(path)}){random}"
