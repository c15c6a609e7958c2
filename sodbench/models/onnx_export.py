"""Writes a baseline's network as an ONNX file: the final map only, as a probability, 0..1.

The sigmoid is inside, because that is what other programs expect of a saliency network. The metadata say how
images are prepared, so that `sodbench run FILE` needs no TOML file (`onnx_settings`). The file is run against
the torch network before it takes its place.
"""

import dataclasses
import logging
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sodbench import __version__
from sodbench.errors import InputError, Note
from sodbench.files import atomic_path
from sodbench.models.callables import one_line
from sodbench.models.onnx_file import is_onnx, read_onnx_file
from sodbench.models.onnx_network import OnnxNetwork, onnx_network, send_nothing
from sodbench.models.onnx_settings import metadata_of
from sodbench.models.outputs import Logits, probe

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline
    from sodbench.models.loaded_network import LoadedNetwork

TOLERANCE = 1e-4  # of a probability, between torch and the written file
NAMES = ("image", "map")  # of the input and the output


@dataclass(frozen=True)
class ExportedFile:
    """The file written: its size in bytes, its opset, and the shape of its input.

    `difference`: the largest difference of a probability from the torch network's, on probes.
    """

    path: Path
    size: int
    opset: int
    shape: tuple[int | str, ...]
    difference: float


def export_onnx(
    loaded: "LoadedNetwork",
    path: Path,
    *,
    size: tuple[int, int] | None = None,
    dynamic: bool = False,
    opset: int | None = None,
    force: bool = False,
) -> ExportedFile:
    """Writes a loaded network as an ONNX file, atomically, after it was compared with torch's maps.

    size: height and width of the input; None: the baseline's. dynamic: the file takes any size; `size` is
    then the one that its metadata name. opset: the version of ONNX's operators; None: torch's choice. force:
    a file that is there is replaced. Raises InputError, and writes nothing, where the file cannot be written,
    the network cannot be exported, or a probability differs by more than 1e-4.
    """
    if not is_onnx(path):
        raise InputError(f"{path}: expected a name that ends in .onnx")
    if path.exists() and not force:
        raise InputError(f"{path}: is there already; --force (force=True) replaces it")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder; make it, or name another file")
    baseline = loaded.baseline
    if size is not None:
        height, width = size
        if baseline.input.fixed and size != (baseline.input.height, baseline.input.width):
            own = f"{baseline.input.height} x {baseline.input.width}"
            raise InputError(f"{baseline.name}: takes images of {own} only, not {height} x {width}")
        resized = dataclasses.replace(baseline.input, height=height, width=width)
        baseline = dataclasses.replace(baseline, input=resized)
    scales = baseline.inference.scales
    if not dynamic and scales != (1.0,):
        views = ", ".join(map(str, scales))
        warnings.warn(
            f"{baseline.name}: averages its maps over the scales {views}; a file of one size leaves that out "
            "(--dynamic keeps it)",
            Note,
            stacklevel=2,
        )
    with atomic_path(path) as part:
        network = write_onnx(loaded.network, baseline, part, dynamic=dynamic, opset=opset)
        difference = _difference(loaded.network, network, baseline, dynamic=dynamic)
        if not difference <= TOLERANCE:
            raise InputError(
                f"{baseline.name}: the file's maps differ from torch's by {difference:.2g} in probability, "
                f"expected {TOLERANCE:g} at most; nothing is written: try another --opset"
            )
        file = network.file
        found = (part.stat().st_size, file.opset, file.inputs[0].shape or (), difference)
    return ExportedFile(path, *found)


def write_onnx(
    network: nn.Module, baseline: "Baseline", path: Path, *, dynamic: bool = False, opset: int | None = None
) -> OnnxNetwork:
    """Writes the file, and returns it as a network on the CPU. InputError where torch cannot export it."""
    if onnx_network(network) is not None:
        raise InputError(f"{baseline.name}: is an ONNX file already")
    _needs("onnx", "onnxscript")
    send_nothing()
    size = (baseline.input.height, baseline.input.width)
    module = _Probability(network).eval()
    problem = "its sizes are written into its code"
    for batch in (True, False):  # some networks take one image at a time when they are traced
        try:
            program = _exported(module, size, batch=batch, dynamic=dynamic, opset=opset)
        except Exception as error:  # torch's exporter raises anything
            problem = one_line(error)
            continue
        program.model.producer_name, program.model.producer_version = "sodbench", __version__
        program.model.metadata_props.update(metadata_of(baseline, dynamic=dynamic))
        program.save(str(path), external_data=False)
        written = OnnxNetwork(read_onnx_file(path)).eval()
        # torch may fix a size without a word
        fixed = dynamic and (written.input.height or written.input.width)
        if not fixed and not (batch and written.input.batch):
            written.session(torch.device("cpu"))
            return written
    how = "for any size; leave --dynamic out" if dynamic else "to ONNX"
    raise InputError(f"{baseline.name}: torch cannot export the network {how} ({problem})")


def as_onnx(network: nn.Module, baseline: "Baseline") -> nn.Module:
    """A network's ONNX form, to be measured beside it: the file is gone, its session stays in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.onnx")
        written = write_onnx(network, baseline, path, dynamic=baseline.inference.scales != (1.0,))
    return Logits(written, "probability")


class _Probability(nn.Module):
    """The final map alone, N x 1 x H x W, 0..1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        if isinstance(self.network, Logits) and self.network.kind == "probability":
            return self.network.as_returned(image)[0].float()
        final: Any = getattr(self.network, "final", None)
        logits: Tensor = final(image) if final is not None else self.network(image)[0]
        return torch.sigmoid(logits.float())


def _exported(
    module: nn.Module, size: tuple[int, int], *, batch: bool, dynamic: bool, opset: int | None
) -> Any:
    names = {0: "batch"} if batch else {}
    if dynamic:
        names |= {2: "height", 3: "width"}
    sides = {place: torch.export.Dim(name, min=1, max=1 << 14) for place, name in names.items()}
    # torch tells every step and every guess; what goes wrong is raised as well
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"), torch.no_grad():
            return torch.onnx.export(
                module,
                (probe(2 if batch else 1, size),),
                input_names=NAMES[:1],
                output_names=NAMES[1:],
                dynamic_shapes=(sides,) if sides else None,
                opset_version=opset,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    finally:
        logging.disable(level)


def _difference(network: nn.Module, written: OnnxNetwork, baseline: "Baseline", *, dynamic: bool) -> float:
    """The largest difference in probability: of several images at once, and at another size if it may be."""
    height, width = baseline.input.height, baseline.input.width
    sizes = [(height, width), (height + 32, width + 64)] if dynamic else [(height, width)]
    module = _Probability(network).eval()
    worst = 0.0
    with torch.inference_mode():
        for size in sizes:
            for count in (1, 3):
                x = probe(count, size)
                # one by one in torch, because a network may take no more
                expected = torch.cat([module(one[None]).reshape(1, -1) for one in x])
                apart = (written(x)[0].reshape(count, -1) - expected).abs().max()
                if not torch.isfinite(apart):
                    return float("nan")
                worst = max(worst, float(apart))
    return worst


def _needs(*packages: str) -> None:
    from importlib.util import find_spec

    for package in packages:
        if find_spec(package) is None:
            raise InputError(f'writing an ONNX file needs {package}: pip install "sodbench[onnx]"')
