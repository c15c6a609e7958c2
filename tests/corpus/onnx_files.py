"""ONNX files: none at all, cut, with inputs and outputs that are no pictures, with weights elsewhere."""

import pickle
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from .case import Build, Case
from .weights import _Code
from .world import World

RUN = ("run", "bad.onnx", "--datasets", "sod", "--name", "n", "--device", "cpu", "--quiet")
ANY = ("N", 3, "H", "W")
MAP = ("N", 1, "H", "W")
MEAN = (("ReduceMean", ("image",), "map", {"axes": [1]}),)

FLAT = (("ReduceMean", ("image",), "map", {"axes": [1, 2], "keepdims": 0}),)
NAN = (
    ("ReduceMean", ("image",), "y", {"axes": [1]}),
    ("Sub", ("y", "y"), "z", {}),
    ("Div", ("z", "z"), "map", {}),
)


def _model(
    nodes: tuple[tuple[Any, ...], ...] = MEAN,
    inputs: tuple[tuple[str, str, Any], ...] = (("image", "FLOAT", ANY),),
    outputs: tuple[tuple[str, str, Any], ...] = (("map", "FLOAT", MAP),),
    weights: Callable[[Any], list[Any]] = lambda onnx: [],
    opset: int = 17,
    ir: int = 8,
    metadata: str = "",
) -> Callable[[World], bytes]:
    """The bytes of a model; a node is (operator, inputs, output, attributes)."""

    def content(world: World) -> bytes:
        import onnx
        from onnx import helper

        def ports(some: tuple[tuple[str, str, Any], ...]) -> list[Any]:
            return [
                helper.make_tensor_value_info(name, getattr(onnx.TensorProto, kind), shape)
                for name, kind, shape in some
            ]

        made = [helper.make_node(name, ins, [out], **more) for name, ins, out, more in nodes]
        graph = helper.make_graph(made, "graph", ports(inputs), ports(outputs), weights(onnx))
        opsets = [helper.make_opsetid("", opset), helper.make_opsetid("stranger", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=ir)
        if metadata:
            helper.set_model_props(model, {"sodbench": metadata})
        return bytes(model.SerializeToString())

    return content


def _weights_at(place: str) -> Callable[[World], bytes]:
    def tensor(onnx: Any) -> list[Any]:
        one = onnx.TensorProto(name="w", data_type=1, data_location=1)
        one.dims.append(1)
        one.external_data.add(key="location", value=place)
        return [one]

    nodes = (("Mul", ("image", "w"), "y", {}), ("ReduceMean", ("y",), "map", {"axes": [1]}))
    return _model(nodes, weights=tensor)


def _deep(world: World) -> bytes:
    """Graphs in operators in graphs, 400 deep, by their bytes alone."""

    def part(number: int, content: bytes) -> bytes:
        size, length = b"", len(content)
        while length > 127:
            size, length = size + bytes([length & 127 | 128]), length >> 7
        return bytes([number << 3 | 2]) + size + bytes([length]) + content

    graph = b""
    for _ in range(400):
        graph = part(1, part(5, part(6, graph)))
    return b"\x08\x08" + part(7, graph)


def _part(keep: float) -> Callable[[World], bytes]:
    def content(world: World) -> bytes:
        whole = _model()(world)
        return whole[: int(len(whole) * keep)]

    return content


NO_ONNX = "bad\\.onnx: not an ONNX file"
INPUT = "bad\\.onnx: (its input is|has).*expected one input"
OUTPUT = "bad\\.onnx: its output is.*expected maps"
BESIDE = "its weights lie in.*expected a file beside"
FILES: dict[str, tuple[Callable[[World], bytes], str]] = {
    "text": (lambda w: b"onnx\n", NO_ONNX),
    "empty": (lambda w: b"", "bad\\.onnx: empty"),
    "zeros": (lambda w: bytes(4096), NO_ONNX),
    "pickled-code": (lambda w: pickle.dumps(_Code()), NO_ONNX),
    "torch-weights": (lambda w: (w.work / "net.pth").read_bytes(), NO_ONNX),
    "html": (lambda w: b"<!DOCTYPE html><html>log in</html>", NO_ONNX),
    "git-lfs": (lambda w: b"version https://git-lfs.github.com/spec/v1\n", NO_ONNX),
    "half-of-it": (_part(0.5), NO_ONNX),
    "cut-near-the-end": (_part(0.97), NO_ONNX),
    "graphs-400-deep": (_deep, NO_ONNX),
    "no-graph": (lambda w: b"\x08\x08", NO_ONNX),
    "an-endless-number": (lambda w: b"\x08" + b"\xff" * 1000, NO_ONNX),
    "opset-99": (_model(opset=99), "opset 99"),
    "ir-version-99": (_model(ir=99), "IR version"),
    "unknown-operator": (_model((("Frobnicate", ("image",), "map", {}),)), "Frobnicate"),
    "custom-operator": (_model((("Own", ("image",), "map", {"domain": "stranger"}),)), "stranger"),
    "four-channels": (_model(inputs=(("image", "FLOAT", (1, 4, 32, 32)),)), INPUT),
    "one-channel": (_model(inputs=(("image", "FLOAT", (1, 1, 32, 32)),)), INPUT),
    "three-sides": (_model(inputs=(("image", "FLOAT", (3, 32, 32)),)), INPUT),
    "no-shape": (_model(inputs=(("image", "FLOAT", None),)), INPUT),
    "whole-numbers": (_model(inputs=(("image", "UINT8", ANY),)), INPUT),
    "no-input": (_model((), inputs=(), outputs=(("map", "FLOAT", MAP),)), INPUT),
    "two-inputs": (_model(inputs=(("image", "FLOAT", ANY), ("size", "FLOAT", (2,)))), INPUT),
    "endless-sides": (_model(inputs=(("image", "FLOAT", (1, 3, 10**9, 10**9)),)), "at most 16384 pixels"),
    "three-channels-out": (_model(outputs=(("map", "FLOAT", ANY),)), OUTPUT),
    "a-number-out": (_model(outputs=(("map", "FLOAT", ("N",)),)), OUTPUT),
    "classes-out": (_model(outputs=(("map", "INT64", MAP),)), OUTPUT),
    "rank-unsaid": (_model(FLAT, outputs=(("map", "FLOAT", None),)), "its output 'map' has the shape"),
    "not-a-number": (_model(NAN), "not finite"),
    "metadata-no-json": (_model(metadata="{"), "metadata 'sodbench' is no JSON"),
    "metadata-wrong": (_model(metadata='{"input": {"mean": [1]}}'), "metadata sodbench: input.mean"),
    "metadata-deep": (_model(metadata="[" * 100_000), "metadata 'sodbench' is no JSON"),
    "weights-above": (_weights_at("../net.pth"), BESIDE),
    "weights-absolute": (_weights_at("/etc/passwd"), BESIDE),
    "weights-of-a-device": (_weights_at("/dev/zero"), BESIDE),
    "weights-missing": (_weights_at("gone.data"), "missing: .*gone.data"),
}  # fmt: skip


def _file(content: Callable[[World], bytes], name: str = "bad.onnx", **more: str) -> Build:
    def build(world: World) -> None:
        world.write(name, content(world))
        for other, text in more.items():
            world.write(f"baselines/{other}.toml", text)

    return build


def _folder(world: World) -> None:
    (world.work / "bad.onnx").mkdir()


OWN = 'title = "O"\nnetwork = "onnx"\n[weights]\nfile = "../good.onnx"\n'
TOMLS = {
    "size": (OWN + "[input]\nheight = 32\n", (1, 3, 48, 48), "good.onnx: takes images of height 48 only"),
    "output": (OWN + '[options]\noutput = "gone"\n', ANY, "has no output 'gone'"),
    "output-no-text": (OWN + "[options]\noutput = 3\n", ANY, "options.output"),
    "option": (OWN + "[options]\nwidth = 3\n", ANY, "unknown option 'width'"),
    "md5": (OWN + f'md5 = "{"0" * 32}"\n', ANY, "MD5 .*, expected 0000"),
    "md5-short": (OWN + 'md5 = "0"\n', ANY, "weights.md5: expected 32 hexadecimal digits"),
    "sha256": (OWN + f'sha256 = "{"0" * 64}"\n', ANY, "SHA-256 .*, expected 0000"),
    "scales": (OWN + "[inference]\nscales = [0.5, 1.0]\n", (1, 3, 48, 48), "inference.scales"),
}
EXPORT = ("baselines", "export", "net.py:create", "--weights", "net.pth")


def _cases() -> list[Case]:
    # a session of onnxruntime reserves address space for its threads
    room = {"megabytes": 2048}
    cases = [
        Case(f"onnx/{what}", RUN, says=says, build=_file(content), **room)  # type: ignore[arg-type]
        for what, (content, says) in FILES.items()
    ]
    cases += [
        Case(
            f"onnx/toml-{what}",
            ("run", "own", *RUN[2:]),
            says=says,
            build=_file(_model(inputs=(("image", "FLOAT", shape),)), "good.onnx", own=text),
            **room,  # type: ignore[arg-type]
        )
        for what, (text, shape, says) in TOMLS.items()
    ]
    good = _file(_model(), "good.onnx")
    predict = ("predict", "good.onnx", "--images", "images", "--out", "out", "--quiet", "--device", "cpu")
    return [
        *cases,
        Case("onnx/good", predict, code=0, says="nothing says how", build=good, changes=("work/out*",)),
        Case("onnx/folder", RUN, says="bad.onnx: a folder", build=_folder),
        Case("onnx/missing", RUN, says="bad.onnx: no such file"),
        Case("onnx/bf16", (*predict, "--precision", "bf16"), says="precision of its file", build=good),
        Case("onnx/weights-option", (*predict, "--weights", "net.pth"), says="net.pth: not an", build=good),
        Case("onnx/weights-of-torch", ("predict", "net.py:create", *predict[2:], "--weights", "good.onnx"),
             says="good.onnx: an ONNX file holds its own network", build=good),
        Case("onnx/train", ("train", "good.onnx", "--out", "t", "--quiet"), says="good|dataset", build=good),
        Case("onnx/export-there", (*EXPORT, "--to", "net.py.onnx"), says="is there already",
             build=_file(_model(), "net.py.onnx")),
        Case("onnx/export-name", (*EXPORT, "--to", "net.pth"), says="ends in .onnx"),
        Case("onnx/export-folder", (*EXPORT, "--to", "gone/net.onnx"), says="no such folder"),
        Case("onnx/export-opset", (*EXPORT, "--to", "n.onnx", "--opset", "1"), says="--opset is '?1"),
        Case("onnx/export-size", (*EXPORT, "--to", "n.onnx", "--size", "0", "9"), says="--size is '?0"),
        Case("onnx/export-onnx", ("baselines", "export", "good.onnx", "--to", "n.onnx"),
             says="an ONNX file already", build=good),
    ]  # fmt: skip


CASES = _cases() if find_spec("onnx") and find_spec("onnxruntime") else []
