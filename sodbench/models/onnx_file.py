"""What an ONNX file says about itself: inputs, outputs, metadata, its last operators, files beside it.

The file is read as data, without onnxruntime, and without loading its weights: only the parts of the protocol
buffer that are needed (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), from a memory map.
"""

import hashlib
import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from sodbench.errors import InputError, cut
from sodbench.files import sha256_of
from sodbench.models.protocol_buffer import Bytes, NoMessage, fields, packed, part, text, whole
from sodbench.paths import refuse_special

SUFFIX = ".onnx"
# TensorProto.DataType
TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "text",
    9: "bool", 10: "float16", 11: "float64", 16: "bfloat16",
}  # fmt: skip
_REAL = (1, 10, 11, 16)
# operators that keep the values of their first input, or that mix them linearly with weights of sum 1
_KEEPING = ("Identity", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Cast", "Flatten", "Slice", "Gather",
            "Resize", "Upsample", "Split", "Dropout", "Expand", "Pad")  # fmt: skip
_SQUASHING = ("Sigmoid", "HardSigmoid", "Softmax", "Clip")
_MOST_DEPTH = 100  # of messages in one another, and of operators before the output


@dataclass(frozen=True)
class Port:
    """An input or output: its name, element type and shape; a side is a number, a name, or "?"."""

    name: str
    type: str
    shape: tuple[int | str, ...] | None

    def __str__(self) -> str:
        shape = " x ".join(map(str, self.shape)) if self.shape else "no known shape"
        return f"{cut(self.name)!r} ({self.type}, {shape})"


@dataclass
class OnnxFile:
    """What the file says; `parameters` counts the real numbers in its weights."""

    path: Path
    ir_version: int = 0
    opset: int = 0
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    external: set[str] = field(default_factory=set)
    parameters: int = 0
    # by the name of what it computes: the operator and its first input
    _makers: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def files(self) -> list[Path]:
        """The file, and the files beside it that hold its weights."""
        return [self.path, *(self.path.parent / name for name in sorted(self.external))]

    def is_bounded(self, output: str) -> bool:
        """Whether the last operator with weights of `output` is followed by one of range 0..1 (a sigmoid)."""
        for _ in range(_MOST_DEPTH):
            operator, source = self._makers.get(output, ("", ""))
            if operator in _SQUASHING:
                return True
            if operator not in _KEEPING:
                return False
            output = source
        return False


def is_onnx(path: str | Path) -> bool:
    """Whether a path has the ending of an ONNX file."""
    return Path(path).suffix.lower() == SUFFIX


def read_onnx_file(path: Path) -> OnnxFile:
    """Reads what an ONNX file says about itself.

    Raises InputError for what is no ONNX file, for one that is cut short, and for weights in other files that
    are missing or do not lie beside it.
    """
    refuse_special(path)
    if not path.is_file():
        raise InputError(f"{path}: {'a folder' if path.is_dir() else 'no such file'}; expected an ONNX file")
    if not path.stat().st_size:
        raise InputError(f"{path}: empty; expected an ONNX file")
    found = OnnxFile(path)
    with path.open("rb") as file:
        # closed when the last part of it is forgotten: an error keeps the parts that it was raised in
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    problem = "it holds no graph"
    try:
        _read_model(memoryview(content), found)
    except (NoMessage, UnicodeDecodeError) as error:
        problem = f"{error}"
        found.outputs.clear()
    if not found.outputs or not found.ir_version:
        raise InputError(
            f"{path}: not an ONNX file, or one that is cut short ({problem}); expected a file as "
            "torch.onnx.export or `sodbench baselines export` writes it"
        )
    _check_external(found)
    return found


def weights_digest(path: Path) -> str:
    """The SHA-256 of a weights file; of an ONNX file with weights in others, one over all of them.

    That one is the SHA-256 of the lines `<SHA-256>  <name>` of the file and of the others by name, each ended
    by a newline, as `sha256sum` prints them. The name of the ONNX file itself is left out.
    """
    if not is_onnx(path):
        return sha256_of(path)
    files = read_onnx_file(path).files
    if len(files) == 1:
        return sha256_of(path)
    names = ["", *(str(PurePosixPath(one.relative_to(path.parent))) for one in files[1:])]
    lines = (f"{sha256_of(one)}  {name}\n" for one, name in zip(files, names, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _check_external(found: OnnxFile) -> None:
    for name in sorted(found.external):
        parts = PurePosixPath(name.replace("\\", "/")).parts
        beside = found.path.parent / name
        plain = bool(parts) and ".." not in parts and not PureWindowsPath(name).drive and parts[0] != "/"
        if not plain or not beside.resolve().is_relative_to(found.path.parent.resolve()):
            raise InputError(
                f"{found.path}: its weights lie in {cut(name)!r}; expected a file beside the ONNX file"
            )
        refuse_special(beside)
        if not beside.is_file():
            raise InputError(f"{found.path}: the file of its weights is missing: {beside}; put it there")


def _read_model(view: Bytes, found: OnnxFile) -> None:
    weights: set[str] = set()
    for number, value in fields(view):
        if number == 1:
            found.ir_version = whole(value)
        elif number == 7:
            _read_graph(part(value), found, weights, 0)
        elif number == 8:
            entry = dict(fields(part(value)))
            if not text(entry.get(1)):  # the operators of ONNX itself
                found.opset = whole(entry.get(2, 0))
        elif number == 14:
            key, content = _pair(part(value))
            found.metadata[key] = content
        elif number == 25:  # a function: nodes 7
            for inner, node in fields(part(value)):
                if inner == 7:
                    _read_node(part(node), found, weights, 1, named=False)
    # files of IR version 3 list their weights among the inputs
    found.inputs = [port for port in found.inputs if port.name not in weights]


def _read_graph(view: Bytes, found: OnnxFile, weights: set[str], depth: int) -> None:
    """A graph; of those inside operators (depth above 0) only the tensors count."""
    if depth > _MOST_DEPTH:
        raise NoMessage("graphs in graphs without end")
    for number, value in fields(view):
        if number == 1:
            _read_node(part(value), found, weights, depth, named=depth == 0)
        elif number == 5:
            weights.add(_read_tensor(part(value), found))
        elif number == 15:  # a sparse tensor: values 1, indices 2
            for _, tensor in _sparse(part(value)):
                weights.add(_read_tensor(tensor, found))
        elif number in (11, 12) and depth == 0:
            (found.inputs if number == 11 else found.outputs).append(_port(part(value)))


def _read_node(view: Bytes, found: OnnxFile, weights: set[str], depth: int, *, named: bool) -> None:
    inputs, outputs, operator = [], [], ""
    for number, value in fields(view):
        if number == 1:
            inputs.append(text(value))
        elif number == 2:
            outputs.append(text(value))
        elif number == 4:
            operator = text(value)
        elif number == 5:
            for inner, item in fields(part(value)):
                if inner in (5, 10):
                    _read_tensor(part(item), found)
                elif inner in (6, 11):
                    _read_graph(part(item), found, weights, depth + 1)
                elif inner in (22, 23):
                    for _, tensor in _sparse(part(item)):
                        _read_tensor(tensor, found)
    if named:
        for output in outputs:
            found._makers[output] = (operator, inputs[0] if inputs else "")


def _read_tensor(view: Bytes, found: OnnxFile) -> str:
    """Counts a tensor's values and notes the file that holds them; returns its name."""
    name, kind = "", 0
    sides: list[int] = []
    for number, value in fields(view):
        if number == 1:
            sides.extend(packed(value))
        elif number == 2:
            kind = whole(value)
        elif number == 8:
            name = text(value)
        elif number == 13:
            key, content = _pair(part(value))
            if key == "location":
                found.external.add(content)
    if kind in _REAL:
        found.parameters += math.prod(sides)
    return name


def _sparse(view: Bytes) -> Iterator[tuple[int, Bytes]]:
    return ((number, part(value)) for number, value in fields(view) if number in (1, 2))


def _port(view: Bytes) -> Port:
    name, kind, shape = "", "no tensor", None
    for number, value in fields(view):
        if number == 1:
            name = text(value)
        elif number == 2:  # a type: a tensor's 1
            for inner, tensor in fields(part(value)):
                if inner == 1:
                    kind, shape = _tensor_type(part(tensor))
    return Port(name, kind, shape)


def _tensor_type(view: Bytes) -> tuple[str, tuple[int | str, ...] | None]:
    kind, shape = "no type", None
    for number, value in fields(view):
        if number == 1:
            kind = TYPES.get(whole(value), f"type {whole(value)}")
        elif number == 2:
            shape = tuple(_side(part(side)) for one, side in fields(part(value)) if one == 1)
    return kind, shape


def _side(view: Bytes) -> int | str:
    for number, value in fields(view):
        if number == 1:
            side = whole(value)
            return side if 0 < side < 1 << 31 else "?"
        if number == 2:
            return text(value) or "?"
    return "?"


def _pair(view: Bytes) -> tuple[str, str]:
    entry = dict(fields(view))
    return text(entry.get(1)), text(entry.get(2))
