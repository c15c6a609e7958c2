"""The hub of models: its cache on this machine, and the one download, by `sodbench baselines fetch`.

Nothing else here uses the network: a run takes a model from a folder or from the cache. `HF_HUB_OFFLINE`,
`HF_HOME` and `HF_TOKEN` are huggingface_hub's own, and are honoured by it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sodbench.errors import InputError, cut
from sodbench.models.callables import one_line

# what a model is made of: no pickles, no other formats
_FILES = ["*.json", "model.safetensors", "model-*.safetensors", "*.py"]


def cached_folder(name: str, revision: str | None = None) -> Path | None:
    """The folder of a model in the hub's cache; None where it is not there. Uses no network."""
    hub = _hub(name)
    try:
        folder = Path(
            hub.snapshot_download(name, revision=revision, local_files_only=True, allow_patterns=_FILES)
        )
    except Exception:  # whatever is wrong with the cache, the model is not in it
        return None
    return folder if (folder / "config.json").is_file() else None


def fetch_model(name: str, revision: str | None = None, *, progress: bool = False) -> Path:
    """Downloads a model into the hub's cache; returns its folder there.

    Raises InputError, in one line, without a network, with HF_HUB_OFFLINE, and for a name that the hub does
    not have or does not give away.
    """
    hub = _hub(name)
    try:
        with _silent(progress):
            return Path(hub.snapshot_download(name, revision=revision, allow_patterns=_FILES))
    except Exception as error:  # of the hub, of its network library, of the disk
        raise InputError(
            f"{name}: cannot be downloaded from the hub ({cut(one_line(error), 200)}); put the model into a "
            "folder by other means and name that folder"
        ) from error


@contextmanager
def offline() -> Iterator[None]:
    """Inside, huggingface_hub makes no request: what a folder does not hold is an error."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def _silent(progress: bool) -> Iterator[None]:
    from huggingface_hub import utils

    bars: Any = utils
    hidden = progress or bars.are_progress_bars_disabled()
    if not hidden:
        bars.disable_progress_bars()
    try:
        yield
    finally:
        if not hidden:
            bars.enable_progress_bars()


def _hub(name: str) -> Any:
    """The package huggingface_hub, without its telemetry."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError as error:
        raise InputError(
            f'{name}: a model of the hub needs huggingface_hub: pip install "sodbench[hf]"'
        ) from error
    constants.HF_HUB_DISABLE_TELEMETRY = True
    return huggingface_hub
