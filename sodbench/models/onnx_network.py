"""An ONNX file as a network: a torch module around onnxruntime's session, one for each device.

The file is data: custom operator libraries are never loaded. It computes with as many threads as torch does,
which sleep while they wait. onnxruntime's reports to its makers are switched off.
"""

import importlib
import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sodbench.errors import InputError, Note, cut, unknown_names
from sodbench.models.onnx_file import OnnxFile, read_onnx_file
from sodbench.models.onnx_settings import input_of, output_of, with_file
from sodbench.models.outputs import Logits, MapKind, probe, unwrapped

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline

_SILENT = 4  # onnxruntime's level of messages: what goes wrong is raised as well


class OnnxNetwork(nn.Module):
    """N x 3 x H x W float32 -> one map, as the file computes it: `(N x 1 x h x w or N x h x w,)`, float32.

    Where the file takes one batch size only, the images pass in groups of that size. It has no parameters;
    `to(device)` chooses onnxruntime's provider. `output` names the map, None is the first output. Raises
    InputError for a file that takes or gives no pictures.
    """

    place: Tensor

    def __init__(self, file: OnnxFile, output: str | None = None) -> None:
        super().__init__()
        self.file, self.input, self.output = file, input_of(file), output_of(file, output)
        self._sessions: dict[str, Any] = {}
        # tells where `to` has put the module
        self.register_buffer("place", torch.zeros(()), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        session = self.session(x.device)
        pictures = x.detach().float().cpu()
        if self.input.channels_last:
            pictures = pictures.permute(0, 2, 3, 1)
        array = np.ascontiguousarray(pictures.numpy(), dtype=self.input.type)
        group = self.input.batch or len(array)
        maps = [self._maps(session, array[start : start + group]) for start in range(0, len(array), group)]
        return (torch.from_numpy(np.concatenate(maps)).to(x.device),)

    def session(self, device: torch.device) -> Any:
        """The session for a device, made on its first use."""
        key = f"{device.type}:{device.index or 0}"
        if key not in self._sessions:
            self._sessions[key] = open_session(self.file, device)
        return self._sessions[key]

    def _maps(self, session: Any, pictures: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        count = len(pictures)
        if self.input.batch and count < self.input.batch:
            blank = np.zeros_like(pictures, shape=(self.input.batch - count, *pictures.shape[1:]))
            pictures = np.concatenate([pictures, blank])
        try:
            (returned,) = session.run([self.output.name], {self.input.name: pictures})
        except Exception as error:  # onnxruntime raises a dozen kinds
            size = " x ".join(map(str, pictures.shape))
            raise InputError(
                f"{self.file.path}: the network fails on an input of {size} ({_reason(error)}); if it takes "
                "another size or one image at a time, give height and width in [input], or --batch 1"
            ) from error
        maps = np.asarray(returned, np.float32)[:count]
        if maps.ndim == 4 and maps.shape[1] != 1 and maps.shape[3] == 1:
            maps = maps.transpose(0, 3, 1, 2)
        if maps.ndim not in (3, 4) or len(maps) != count or (maps.ndim == 4 and maps.shape[1] != 1):
            raise InputError(
                f"{self.file.path}: its output {cut(self.output.name)!r} has the shape {maps.shape} for "
                f"{count} images; expected one map each, N x 1 x H x W or N x H x W"
            )
        return maps

    def __deepcopy__(self, memo: dict[int, Any]) -> "OnnxNetwork":
        """A session does not change, so that copies share it."""
        twin = OnnxNetwork(self.file, self.output.name)
        twin._sessions = self._sessions
        return twin.to(self.place.device)


def load_onnx(baseline: "Baseline", path: Path, device: str) -> "tuple[nn.Module, Baseline]":
    """The network of an ONNX file, and the baseline with what the file says.

    A note says what is assumed where nobody says how images are prepared. Raises InputError for a file that
    onnxruntime cannot run.
    """
    if unknown := sorted(set(baseline.options) - {"output"}):
        raise InputError(f"{baseline.path or baseline.name}: {unknown_names('option', unknown, ['output'])}")
    output = baseline.options.get("output")
    if output is not None and not isinstance(output, str):
        raise InputError(f"{baseline.path or baseline.name}: options.output: expected the name of an output")
    file = read_onnx_file(path)
    found = with_file(baseline, file)
    network = OnnxNetwork(file, output).eval()
    size = (found.input.height, found.input.width)
    network.session(torch.device(device))
    kind = found.output.kind
    if kind != "probability" and "output.kind" not in found.stated:
        kind = map_kind(network, size)
    if not found.stated & {"input.scaling", "input.mean", "input.std"}:
        warnings.warn(
            f"{path}: nothing says how its images are prepared; assumed: {size[0]} x {size[1]}, division by "
            f"each image's maximum, ImageNet mean and standard deviation; its map is taken for "
            f"{'a probability' if kind == 'probability' else 'logits'} and min-max normalised; a TOML file "
            'with network = "onnx" can say otherwise (docs/baselines.md)',
            Note,
            stacklevel=4,
        )
    return Logits(network, kind), found


def map_kind(network: OnnxNetwork, size: tuple[int, int]) -> MapKind:
    """What the map is, by the last operators of the file and by its values on a probe.

    As `outputs.map_kind`: "probability" where nothing with weights follows a sigmoid, softmax or clip and the
    values lie within 0..1, or where each map reaches from 0 to 1 exactly; else "logits".
    """
    with torch.inference_mode():
        final = torch.cat([network(one[None])[0].flatten(1) for one in probe(2, size)])
    low, high = final.amin(1), final.amax(1)
    stretched = bool((low.abs() < 1e-3).all() and ((high - 1).abs() < 1e-3).all())
    within = bool((low > -0.1).all() and (high < 1.1).all())
    bounded = network.file.is_bounded(network.output.name)
    return "probability" if stretched or (within and bounded) else "logits"


def onnx_network(network: nn.Module) -> OnnxNetwork | None:
    """The ONNX network inside a network's wrappers; None for a network of torch."""
    inner = unwrapped(network)
    return inner if isinstance(inner, OnnxNetwork) else None


def provider(device: torch.device | str) -> str:
    """The name of the onnxruntime provider that computes on a device."""
    return "CUDAExecutionProvider" if torch.device(device).type == "cuda" else "CPUExecutionProvider"


def open_session(file: OnnxFile, device: torch.device) -> Any:
    """A session on one device; InputError for a provider, version or operator that this onnxruntime lacks."""
    runtime = _runtime()
    wanted = provider(device)
    available = runtime.get_available_providers()
    lacking = (
        f"{file.path}: device {device}: this onnxruntime ({runtime.__version__}) has no working {wanted}; "
        "install onnxruntime-gpu for this CUDA, or use --device cpu"
    )
    if wanted not in available:
        raise InputError(lacking)
    options = runtime.SessionOptions()
    options.log_severity_level = _SILENT
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    for pool in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
    providers: list[Any] = ["CPUExecutionProvider"]
    if wanted != "CPUExecutionProvider":
        # TF32 has the 10-bit mantissa of fp16: not what fp32 says
        providers.insert(0, (wanted, {"device_id": str(device.index or 0), "use_tf32": "0"}))
    try:
        session = runtime.InferenceSession(str(file.path), options, providers=providers, enable_fallback=0)
    except Exception as error:  # onnxruntime raises a dozen kinds
        raise InputError(
            f"{file.path}: onnxruntime {runtime.__version__} cannot run this file ({_reason(error)}); it has "
            f"opset {file.opset} and IR version {file.ir_version}: update onnxruntime, or export it anew"
        ) from error
    if session.get_providers()[0] != wanted:
        raise InputError(lacking)
    return session


def send_nothing() -> None:
    """Keeps onnxruntime from reporting to its makers, which 1.29 and later do as soon as they are imported.

    It changes nothing that the user has set, and nothing where onnxruntime is imported already.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def _runtime() -> Any:
    send_nothing()
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError:
        raise InputError('an ONNX network needs onnxruntime: pip install "sodbench[onnx]"') from None
    runtime.set_default_logger_severity(_SILENT)
    return runtime


def _reason(error: Exception) -> str:
    """What onnxruntime says, in one line, without its codes and the places in its source."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ", "", text)
    if "only *guarantees* support" in text:
        return "it does not know this opset"
    text = re.sub(r"Load model from .+? failed: ?", "", text)
    text = re.sub(r"/\S+\.(cc|h|cpp):\d+ (\S+ )*?\S*\(.*?\) ", "", text)
    return cut(text, 300)
