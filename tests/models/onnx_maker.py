"""Small ONNX files for the tests: a 3 x 3 convolution to one channel, then a sigmoid."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
if find_spec("onnxruntime") is None:  # not imported here: it would report to its makers
    pytest.skip("needs onnxruntime", allow_module_level=True)

WEIGHTS = (np.random.RandomState(0).standard_normal((1, 3, 3, 3)) * 0.3).astype(np.float32)
ANY = ("N", 3, "H", "W")


def graph_file(path: Path, nodes, inputs, outputs, weights=(), *, opset: int = 17, ir: int = 8) -> Path:
    """An ONNX file; inputs and outputs are (name, type, shape), weights a mapping of arrays or tensors."""
    ports = [
        [onnx.helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in some]
        for some in (inputs, outputs)
    ]
    tensors = [
        value if isinstance(value, onnx.TensorProto) else onnx.numpy_helper.from_array(value, name)
        for name, value in dict(weights).items()
    ]
    graph = onnx.helper.make_graph(nodes, "graph", *ports, tensors)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=ir)
    path.write_bytes(model.SerializeToString())
    return path


def node(operator: str, inputs: str, output: str, **attributes):
    return onnx.helper.make_node(operator, inputs.split(), [output], **attributes)


def conv_file(
    path: Path, shape=ANY, *, half: bool = False, channels_last: bool = False, sigmoid: bool = True, **more
) -> Path:
    """The network of `conv_maps`, for an input of this shape."""
    kind = onnx.TensorProto.FLOAT16 if half else onnx.TensorProto.FLOAT
    weights = WEIGHTS.astype(np.float16 if half else np.float32)
    nodes = [node("Transpose", "image", "x", perm=[0, 3, 1, 2])] if channels_last else []
    nodes += [node("Conv", f"{'x' if channels_last else 'image'} w", "y", pads=[1, 1, 1, 1])]
    last = "y"
    if sigmoid:
        nodes, last = [*nodes, node("Sigmoid", "y", "p")], "p"
    if channels_last:
        nodes, last = [*nodes, node("Transpose", last, "t", perm=[0, 2, 3, 1])], "t"
        out = (*shape[:3], 1)
    else:
        out = (shape[0], 1, *shape[2:])
    return graph_file(path, nodes, [("image", kind, shape)], [(last, kind, out)], {"w": weights}, **more)


def conv_maps(x: np.ndarray) -> np.ndarray:
    """What the file computes of N x 3 x H x W, in float32."""
    import torch

    y = torch.nn.functional.conv2d(torch.from_numpy(x), torch.from_numpy(WEIGHTS), padding=1)
    return torch.sigmoid(y).numpy()
