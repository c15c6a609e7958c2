"""What an ONNX file says about itself is read without onnxruntime, whatever the file."""

import hashlib
import random
from contextlib import suppress

import numpy as np
import pytest
from onnx_maker import ANY, WEIGHTS, conv_file, graph_file, node, onnx

from sodbench.errors import InputError
from sodbench.models.onnx_file import read_onnx_file, weights_digest

FLOAT = onnx.TensorProto.FLOAT


def test_the_file_is_read_as_the_onnx_package_reads_it(tmp_path):
    path = conv_file(tmp_path / "a.onnx", (1, 3, 64, "W"))
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"author": "somebody", "ä": "ö"})
    onnx.save(model, path)
    file = read_onnx_file(path)
    assert (file.ir_version, file.opset) == (8, 17)
    assert [str(port) for port in file.inputs] == ["'image' (float32, 1 x 3 x 64 x W)"]
    assert [port.name for port in file.outputs] == ["p"]
    assert file.metadata == {"author": "somebody", "ä": "ö"}
    assert file.parameters == WEIGHTS.size and file.files == [path]


def test_weights_among_the_inputs_are_no_inputs(tmp_path):
    path = graph_file(
        tmp_path / "old.onnx",
        [node("Conv", "image w", "y", pads=[1, 1, 1, 1])],
        [("image", FLOAT, ANY), ("w", FLOAT, WEIGHTS.shape)],
        [("y", FLOAT, ("N", 1, "H", "W"))],
        {"w": WEIGHTS},
        ir=3,
    )
    assert [port.name for port in read_onnx_file(path).inputs] == ["image"]


@pytest.mark.parametrize(
    ("nodes", "bounded"),
    [
        ([node("Sigmoid", "y", "map")], True),
        ([node("Sigmoid", "y", "p"), node("Identity", "p", "map")], True),
        ([node("Softmax", "y", "p"), node("Cast", "p", "q", to=1), node("Squeeze", "q", "map")], True),
        ([node("Sigmoid", "y", "p"), node("Conv", "p one", "map")], False),
        ([node("Relu", "y", "map")], False),
    ],
)
def test_the_last_operators_tell_whether_values_are_bounded(tmp_path, nodes, bounded):
    path = graph_file(
        tmp_path / "a.onnx",
        [node("ReduceMean", "image", "y", axes=[1]), *nodes],
        [("image", FLOAT, ANY)],
        [("map", FLOAT, ("N", 1, "H", "W"))],
        {"axes": np.array([0]), "one": np.ones((1, 1, 1, 1), np.float32)},
    )
    assert read_onnx_file(path).is_bounded("map") is bounded


def test_broken_files_are_refused_in_one_line(tmp_path):
    good = conv_file(tmp_path / "good.onnx").read_bytes()
    path = tmp_path / "bad.onnx"
    refused = 0
    for length in range(len(good)):
        path.write_bytes(good[:length])
        try:
            read_onnx_file(path)
        except InputError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
    assert refused > 0.9 * len(good)
    chance = random.Random(0)
    for _ in range(300):
        spoiled = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        path.write_bytes(spoiled)
        with suppress(InputError):
            read_onnx_file(path)


def _external(path, place: str):
    tensor = onnx.TensorProto(name="w", data_type=FLOAT, data_location=onnx.TensorProto.EXTERNAL)
    tensor.dims.extend(WEIGHTS.shape)
    tensor.external_data.add(key="location", value=place)
    conv = node("Conv", "image w", "y", pads=[1, 1, 1, 1])
    return graph_file(
        path, [conv], [("image", FLOAT, ANY)], [("y", FLOAT, ("N", 1, "H", "W"))], {"w": tensor}
    )


def test_weights_in_a_file_beside_it_count_in_the_digest(tmp_path):
    path = _external(tmp_path / "a.onnx", "a.data")
    (tmp_path / "a.data").write_bytes(WEIGHTS.tobytes())
    assert read_onnx_file(path).files == [path, tmp_path / "a.data"]
    first = weights_digest(path)
    lines = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  " for one in (path, tmp_path / "a.data")]
    assert first == hashlib.sha256(f"{lines[0]}\n{lines[1]}a.data\n".encode()).hexdigest()
    (tmp_path / "a.data").write_bytes((2 * WEIGHTS).tobytes())
    assert weights_digest(path) != first
    plain = conv_file(tmp_path / "b.onnx")
    assert weights_digest(plain) == hashlib.sha256(plain.read_bytes()).hexdigest()


@pytest.mark.parametrize("place", ["../a.data", "/etc/hostname", "..\\a.data", "C:\\a.data", "link.data", ""])
def test_weights_elsewhere_are_refused(tmp_path, place):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "a.data").write_bytes(WEIGHTS.tobytes())
    (folder / "link.data").symlink_to(tmp_path / "a.data")
    path = _external(folder / "a.onnx", place)
    with pytest.raises(InputError, match=r"its weights lie in .* expected a file beside"):
        read_onnx_file(path)


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(InputError, match=r"the file of its weights is missing: .*a\.data"):
        read_onnx_file(_external(tmp_path / "a.onnx", "a.data"))
