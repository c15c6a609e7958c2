"""What an ONNX file decides of its baseline: the size of its input, and what its metadata say.

`sodbench baselines export` writes one metadata property, `sodbench`: a JSON object with the tables `input`,
`output` and `inference` of the baseline, as in its TOML file. What a TOML file states goes before it.
"""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sodbench import __version__, catalog
from sodbench.data.preprocessing import InputSpec
from sodbench.errors import InputError
from sodbench.json_text import to_json
from sodbench.models.onnx_file import OnnxFile, Port, read_onnx_file
from sodbench.models.settings import Inference, Output, Precision, Weights
from sodbench.schema import parse, wrong

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline

KEY = "sodbench"
MOST_PIXELS = 16384  # per side, as in a TOML file
_REAL = ("float32", "float16", "float64")
_Table = TypeVar("_Table", InputSpec, Output, Inference)


@dataclasses.dataclass(frozen=True)
class OnnxInput:
    """The input of an ONNX file: its name, its type, its layout and its fixed sizes (None: any)."""

    name: str
    type: str
    channels_last: bool
    batch: int | None
    height: int | None
    width: int | None


def bare_baseline(path: Path) -> "Baseline":
    """The baseline of an ONNX file without a TOML file, named after the file.

    Where that is the name of a shipped baseline, `-onnx` is added, so that their records stay apart.
    """
    from sodbench.models.baseline import Baseline

    name = f"{path.stem}-onnx" if catalog.is_shipped_name("baselines", path.stem) else path.stem
    bare = Baseline(
        name=name,
        title=path.stem,
        network="onnx",
        output=Output(kind="auto"),
        weights=Weights(file=path.name),
        path=path,
    )
    return with_file(bare, read_onnx_file(path))


def with_file(baseline: "Baseline", file: OnnxFile) -> "Baseline":
    """The baseline with what the file decides; `stated` then holds the keys that the file gave, too.

    Raises InputError for a file whose fixed size is not the one that the baseline states, and for one that
    takes or gives no pictures.
    """
    stored = _stored(file)
    stated = set(baseline.stated)
    given = _laid_under(baseline.input, stored.get("input"), "input", stated, file)
    output = _laid_under(baseline.output, stored.get("output"), "output", stated, file)
    inference = _laid_under(baseline.inference, stored.get("inference"), "inference", stated, file)
    port = input_of(file)
    source = baseline.path or baseline.name
    fixed = {key: side for key, side in (("height", port.height), ("width", port.width)) if side is not None}
    for key, side in fixed.items():
        own = getattr(given, key)
        if own != side and _states(given, key, "input", stated):
            raise InputError(
                f"{file.path}: takes images of {key} {side} only, {source} states {key} = {own} in [input]; "
                "leave it out there"
            )
    if fixed and inference.scales != (1.0,):
        expected = f"[1.0], because {file.path} takes one size only"
        raise wrong(source, "inference.scales", expected, inference.scales)
    if fixed and given.fit == "long-side":
        expected = f"'stretch' or 'pad', because {file.path} takes one size only"
        raise wrong(source, "input.fit", expected, given.fit)
    precision: Precision = "fp16" if port.type == "float16" else "fp32"
    return dataclasses.replace(
        baseline,
        input=dataclasses.replace(
            given,
            height=port.height or given.height,
            width=port.width or given.width,
            fixed=given.fixed or bool(fixed),
        ),
        output=output,
        inference=dataclasses.replace(inference, cpu=precision, cuda=precision),
        stated=frozenset(stated | {f"input.{key}" for key in fixed}),
    )


def metadata_of(baseline: "Baseline", *, dynamic: bool) -> dict[str, str]:
    """The metadata with which a file of this baseline needs no TOML file; its maps are probabilities.

    A file of one size (not `dynamic`) is run at that scale only.
    """
    output = dataclasses.replace(baseline.output, kind="probability")
    scales = baseline.inference.scales if dynamic else (1.0,)
    views = {"scales": scales, "mirror": baseline.inference.mirror}
    spec = dataclasses.asdict(baseline.input)
    del spec["fixed"]
    tables = {
        "baseline": baseline.name,
        "version": __version__,
        "input": spec,
        "output": output,
        "inference": views,
    }
    return {KEY: to_json(tables)}


def input_of(file: OnnxFile) -> OnnxInput:
    """The one input; InputError unless it is a batch of pictures of three channels in real numbers."""
    expected = "expected one input of N x 3 x H x W or N x H x W x 3, float32 or float16"
    if len(file.inputs) != 1:
        names = f" ({', '.join(map(str, file.inputs[:4]))})" if file.inputs else ""
        raise InputError(f"{file.path}: has {len(file.inputs) or 'no'} inputs{names}; {expected}")
    (port,) = file.inputs
    shape = port.shape or ()
    if port.type not in _REAL or len(shape) != 4:
        raise InputError(f"{file.path}: its input is {port}; {expected}")
    if shape[1] == 3 or (isinstance(shape[1], str) and shape[3] != 3):
        channels_last, height, width = False, shape[2], shape[3]
    elif shape[3] == 3:
        channels_last, height, width = True, shape[1], shape[2]
    else:
        raise InputError(f"{file.path}: its input is {port}; {expected}")
    batch, *sides = (side if isinstance(side, int) else None for side in (shape[0], height, width))
    if any((side or 0) > MOST_PIXELS for side in sides):
        raise InputError(f"{file.path}: its input is {port}; expected at most {MOST_PIXELS} pixels per side")
    return OnnxInput(port.name, port.type, channels_last, batch, *sides)


def output_of(file: OnnxFile, name: str | None) -> Port:
    """The output of this name, else the first; InputError unless it may be one map for each picture."""
    known = {port.name: port for port in file.outputs}
    if name is not None and name not in known:
        raise InputError(f"{file.path}: has no output {name!r}; it has {', '.join(map(repr, known))}")
    port = known[name] if name is not None else file.outputs[0]
    shape = port.shape
    flat = shape is None or len(shape) == 3
    if port.type not in _REAL or not (flat or (shape and len(shape) == 4 and _one_channel(shape))):
        more = ", ".join(other for other in known if other != port.name)
        advice = f"; name another with [options] output = (it has {more})" if more else ""
        raise InputError(
            f"{file.path}: its output is {port}; expected maps of N x 1 x H x W or N x H x W, real "
            f"numbers{advice}"
        )
    return port


def _one_channel(shape: tuple[int | str, ...]) -> bool:
    return 1 in (shape[1], shape[3]) or isinstance(shape[1], str)


def _stored(file: OnnxFile) -> dict[str, Any]:
    if KEY not in file.metadata:
        return {}
    try:
        stored = json.loads(file.metadata[KEY])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file.path}: its metadata {KEY!r} is no JSON ({error}); export it again") from None
    if not isinstance(stored, dict):
        raise wrong(file.path, f"its metadata {KEY!r}", "a JSON object", stored)
    return stored


def _laid_under(now: _Table, stored: Any, prefix: str, stated: set[str], file: OnnxFile) -> _Table:
    """A table with the stored values of the keys that nobody stated; these keys are stated then."""
    if stored is None:
        return now
    parsed = parse(type(now), stored, file.path, f"metadata {KEY}: {prefix}.")
    fresh = [key for key in stored if not _states(now, key, prefix, stated)]
    stated |= {f"{prefix}.{key}" for key in stored}
    return dataclasses.replace(now, **{key: getattr(parsed, key) for key in fresh})


def _states(table: InputSpec | Output | Inference, key: str, prefix: str, stated: set[str]) -> bool:
    """Whether a key was stated: in the TOML file, or in Python by another value than the default."""
    value = getattr(table, key)
    # "auto" is what a baseline without a table says
    return f"{prefix}.{key}" in stated or value not in (getattr(type(table)(), key), "auto")
