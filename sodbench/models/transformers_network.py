"""A `transformers` model for image segmentation as a network that returns one map of logits.

Of a model with labels the map is the log odds of the object's label: its logit less the logarithm of the sum
of the others' exponentials. For two labels that is the difference of the two logits.
"""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sodbench.errors import InputError, cut, first_of
from sodbench.models.callables import one_line
from sodbench.models.hub import offline
from sodbench.models.outputs import maps_of
from sodbench.models.transformers_folder import SEGMENTATION, ModelFolder, ModelOptions
from sodbench.models.weights import check_values, load_into, load_state

_BACKGROUND = ("background", "bg", "back")


class TransformersNetwork(nn.Module):
    """Wraps a model; its state dict is the model's own, without a prefix. N x 3 x H x W -> N x 1 x h x w."""

    def __init__(self, model: nn.Module, folder: ModelFolder, options: ModelOptions) -> None:
        super().__init__()
        self.model = model
        self.source = str(folder.path)
        self.own_code = bool(folder.code)
        self.label, self.map = options.label, options.map
        if not self.own_code:
            self.label = object_label(_labels(model), options.label, self.source)

    def forward(self, x: Tensor) -> Tensor:
        returned = self.model(x)
        logits = getattr(returned, "logits", None)
        if isinstance(logits, Tensor):
            return self._object(logits)
        maps = maps_of(returned)
        if not -len(maps) <= self.map < len(maps):
            raise InputError(
                f"{self.source}: options.map: {self.map}, but the model returns {len(maps)} maps"
            )
        return self._object(maps[self.map])

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.model.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.model.load_state_dict(*args, **kwargs)

    def _object(self, logits: Tensor) -> Tensor:
        """The log odds of the object's label, N x 1 x h x w; of a single label its logit."""
        if logits.dim() == 3 or logits.shape[1] == 1:
            return logits
        count = logits.shape[1]
        label = self.label
        if self.own_code:
            label = object_label([str(i) for i in range(count)], self.label, self.source)
        if label is None or label >= count:
            raise InputError(
                f"{self.source}: the model returned {count} labels, not those of its config.json"
            )
        others = torch.cat([logits[:, :label], logits[:, label + 1 :]], 1).float()
        return logits[:, label : label + 1].float() - torch.logsumexp(others, 1, keepdim=True)


def object_label(names: list[str], chosen: int | None, source: str) -> int:
    """The label that is the object: the `chosen` one, the only one, or of two the one that is no background.

    Of two labels without such a name it is the second. InputError for more labels, of which none is chosen.
    """
    if chosen is not None:
        if chosen >= len(names):
            raise InputError(f"{source}: options.label: {chosen}, but its labels are 0 to {len(names) - 1}")
        return chosen
    if len(names) > 2:
        listed = first_of([f"{i} {cut(name, 30)}" for i, name in enumerate(names)], 5)
        raise InputError(
            f"{source}: {len(names)} labels ({listed}); pick the object's in a TOML file: [options] label = N"
        )
    first_only = len(names) == 2 and names[1].lower() in _BACKGROUND and names[0].lower() not in _BACKGROUND
    return 0 if len(names) == 1 or first_only else 1


def fresh_network(folder: ModelFolder, options: ModelOptions, trust: bool) -> TransformersNetwork:
    """The network with random weights, from `config.json` alone.

    trust: whether code that comes with the model may run; without it such a model is refused.
    """
    with _quiet(folder):
        auto, config = _class_of(folder, trust)
        model = auto.from_config(config, trust_remote_code=trust)
    return TransformersNetwork(model.float(), folder, options)


def load_network(
    folder: ModelFolder, options: ModelOptions, trust: bool, weights: Path | None = None
) -> TransformersNetwork:
    """The network with the weights of its folder, or of the file `weights`, float32.

    They must be all of the network's, and finite. A model of transformers may have been saved under other
    names than its own, which transformers converts; weights of a model with its own code load by its names.
    """
    files = folder.weights_files() if weights is None else [weights]
    source = str(folder.path) if weights is None else f"{weights} (for {folder.path})"
    state = {name: tensor for file in files for name, tensor in load_state(file).items()}
    if folder.code:
        network = fresh_network(folder, options, trust)
        load_into(network, state, source)
        return network
    with _quiet(folder):
        auto, config = _class_of(folder, trust)
        # the class itself: the auto class loads from folders only
        model, told = auto._model_mapping[type(config)].from_pretrained(
            None,
            config=config,
            state_dict=state,
            output_loading_info=True,
        )
    _refuse_gaps(told, source)
    check_values({}, dict(model.named_parameters()), source)
    return TransformersNetwork(model.float(), folder, options)


def _class_of(folder: ModelFolder, trust: bool) -> tuple[Any, Any]:
    """The auto class that makes the model, and its configuration."""
    if folder.code and not trust:
        raise InputError(
            f"{folder.path}: its network is code that comes with it, {first_of(folder.code_files, 3)}; read "
            "that code, and allow it with --trust-remote-code (trust_remote_code=True) if you trust it"
        )
    import transformers

    config = transformers.AutoConfig.from_pretrained(
        str(folder.path), trust_remote_code=bool(folder.code), local_files_only=True
    )
    for name in SEGMENTATION:
        if name in folder.code:
            return getattr(transformers, name), config
    auto = transformers.AutoModelForSemanticSegmentation
    if not folder.code and type(config) in auto._model_mapping:
        return auto, config
    raise InputError(
        f"{folder.path}: neither transformers nor auto_map of its config.json has a network for semantic "
        f"segmentation of model_type {cut(folder.config['model_type'])!r}"
    )


def _refuse_gaps(told: Mapping[str, Any], source: str) -> None:
    """InputError where weights are missing, left over or of another shape: they would be random."""
    kinds = (
        ("missing", "missing_keys"),
        ("unexpected", "unexpected_keys"),
        ("of another shape", "mismatched_keys"),
    )
    problems = []
    for what, key in kinds:
        names = sorted(cut(str(one[0] if isinstance(one, tuple) else one)) for one in told.get(key) or ())
        if names:
            problems.append(f"{len(names)} {what} ({first_of(names, 3)})")
    if problems:
        raise InputError(f"{source}: not weights of its network: {'; '.join(problems)}")


def _labels(model: nn.Module) -> list[str]:
    names: Mapping[int, str] = model.config.id2label  # type: ignore[assignment, union-attr]
    return [str(names[index]) for index in sorted(names)]


@contextlib.contextmanager
def _quiet(folder: ModelFolder) -> Iterator[None]:
    """Inside, transformers uses no network and prints nothing; whatever it raises becomes one line."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        from transformers.utils import logging as imported
    except ImportError as error:
        raise InputError(f'{folder.path}: needs transformers: pip install "sodbench[hf]"') from error
    its_logging: Any = imported
    level, bars = its_logging.get_verbosity(), its_logging.is_progress_bar_enabled()
    its_logging.set_verbosity(logging.CRITICAL)
    its_logging.disable_progress_bar()
    try:
        with offline(), warnings.catch_warnings(action="ignore"):
            yield
    except (InputError, torch.OutOfMemoryError):
        raise
    except (Exception, SystemExit) as error:  # transformers and a model's own code may raise anything
        raise InputError(
            f"{folder.path}: transformers cannot make its network ({cut(one_line(error), 300)})"
        ) from error
    finally:
        its_logging.set_verbosity(level)
        if bars:
            its_logging.enable_progress_bar()
