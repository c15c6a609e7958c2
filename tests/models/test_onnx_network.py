"""ONNX files as baselines: their maps, what is read from the file, and what is refused."""

import copy
import dataclasses
import hashlib
import importlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx_maker import ANY, WEIGHTS, conv_file, conv_maps, graph_file, node, onnx
from PIL import Image

import sodbench as sb
from sodbench.cli.main import main
from sodbench.data.preprocessing import InputSpec, finish, prepare
from sodbench.errors import InputError, Note
from sodbench.models import load_baseline
from sodbench.models.contract import check_baseline
from sodbench.models.fetching import fetch_weights
from sodbench.models.inference import Predictor
from sodbench.models.onnx_file import read_onnx_file
from sodbench.models.onnx_network import OnnxNetwork, map_kind, open_session
from sodbench.models.outputs import probe

FLOAT = onnx.TensorProto.FLOAT
TOML = 'title = "T"\nnetwork = "onnx"\n[weights]\nfile = "net.onnx"\n'
INPUT = "[input]\nmean = [0, 0, 0]\nstd = [1, 1, 1]\n"
pytestmark = pytest.mark.filterwarnings("ignore::sodbench.errors.Note")


def picture(seed: int = 0, height: int = 50, width: int = 70) -> np.ndarray:
    coarse = np.random.RandomState(seed).randint(0, 256, (6, 7, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    ("shape", "more"),
    [
        (ANY, {}),
        (("N", 3, 48, 64), {}),
        ((1, 3, 48, 64), {}),
        ((2, 3, 48, 64), {}),
        (("N", "H", "W", 3), {"channels_last": True}),
        ((1, 48, 64, 3), {"channels_last": True}),
        (ANY, {"half": True}),
    ],
)
def test_maps_are_those_of_the_same_network_in_torch(tmp_path, shape, more):
    path = conv_file(tmp_path / "net.onnx", shape, **more)
    loaded = load_baseline(path).load()
    x = probe(3, (48, 64)).numpy()
    maps = Predictor(loaded.network, loaded.baseline)(x)
    assert maps.shape == (3, 48, 64)
    np.testing.assert_allclose(maps, conv_maps(x)[:, 0], rtol=0, atol=2e-3 if more.get("half") else 1e-6)
    fixed = "H" not in shape
    assert loaded.baseline.input.fixed is fixed
    size = (48, 64) if fixed else (256, 256)
    assert (loaded.baseline.input.height, loaded.baseline.input.width) == size
    assert loaded.output_kind == "probability" and loaded.parameters == WEIGHTS.size
    assert loaded.baseline.inference.cpu == ("fp16" if more.get("half") else "fp32")


def test_a_run_names_file_provider_and_version(user_folder, capsys):
    path = conv_file(user_folder / "net.onnx", (1, 3, 48, 64))
    job = ["run", "net.onnx", "--datasets", "sample", "--limit", "8", "--device", "cpu", "--quiet"]
    assert main([*job, "--metrics", "MAE"]) == 0
    assert "nothing says how its images are prepared" in capsys.readouterr().err
    record = json.loads((user_folder / "reports/runs/net/sample/run.json").read_text())
    assert record["weights_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    provenance = record["provenance"]
    assert provenance["provider"] == "CPUExecutionProvider" and "onnxruntime" in provenance["versions"]
    assert provenance["baseline"] == "reports:../net.onnx" and provenance["output_kind"] == "probability"
    assert main(["reproduce", "reports/runs/net/sample", "--quiet"]) == 0
    assert main([*job, "--precision", "bf16", "--name", "other"]) == 2
    assert "precision bf16: an ONNX network computes in the precision of its file" in capsys.readouterr().err


def test_a_file_of_the_name_of_a_shipped_baseline_gets_another(tmp_path):
    assert load_baseline(conv_file(tmp_path / "basnet.onnx")).name == "basnet-onnx"
    assert load_baseline(conv_file(tmp_path / "mine.onnx")).name == "mine"


def test_a_toml_file_says_what_the_file_does_not(user_folder):
    conv_file(user_folder / "baselines/net.onnx", (1, 3, 48, 64), sigmoid=False)
    toml = user_folder / "baselines/own.toml"
    toml.write_text(TOML + INPUT + "scaling = '255'\n[output]\nstretch = false\n")
    with warnings.catch_warnings(action="error", category=Note):  # nothing is assumed
        loaded = load_baseline("own").load()
    assert loaded.output_kind == "logits" and loaded.baseline.input.height == 48
    image = picture()
    (found,) = sb.predict(loaded, [image])
    x = prepare(image, loaded.baseline.input)[None]
    expected = finish(conv_maps(x)[0, 0], image.shape[:2], stretch=False)
    assert np.abs(found.astype(int) - expected).max() <= 1
    other = conv_file(user_folder / "other.onnx", (1, 3, 32, 32))
    assert load_baseline("own").load(other).baseline.input.width == 32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            INPUT + "height = 64\n",
            r"net\.onnx: takes images of height 48 only, .*own\.toml states height = 64",
        ),
        ("[options]\noutput = 'gone'\n", r"net\.onnx: has no output 'gone'; it has 'p'"),
        ("[options]\nwidth = 3\n", r"own\.toml: unknown option 'width'.*; known: output"),
        ("[inference]\nscales = [0.5, 1.0]\n", r"own\.toml: inference\.scales: expected \[1\.0\]"),
    ],
)
def test_a_toml_file_that_the_file_contradicts_is_refused(user_folder, text, message):
    conv_file(user_folder / "baselines/net.onnx", (1, 3, 48, 64))
    (user_folder / "baselines/own.toml").write_text(TOML + text)
    with pytest.raises(InputError, match=message):
        load_baseline("own").load()


def test_another_output_can_be_named(user_folder):
    shape = ("N", 1, "H", "W")
    graph_file(
        user_folder / "baselines/net.onnx",
        [node("ReduceMean", "image", "side", axes=[1]), node("Sigmoid", "side", "main")],
        [("image", FLOAT, ANY)],
        [("side", FLOAT, shape), ("main", FLOAT, shape)],
    )
    (user_folder / "baselines/own.toml").write_text(TOML + INPUT)
    assert load_baseline("own").load().output_kind == "logits"
    (user_folder / "baselines/own.toml").write_text(TOML + INPUT + "[options]\noutput = 'main'\n")
    assert load_baseline("own").load().output_kind == "probability"


def test_a_map_stretched_in_the_file_is_a_probability(tmp_path):
    nodes = [
        node("ReduceMean", "image", "y", axes=[1]),
        node("ReduceMin", "y", "low", axes=[1, 2, 3]),
        node("ReduceMax", "y", "high", axes=[1, 2, 3]),
        node("Sub", "y low", "a"),
        node("Sub", "high low", "b"),
        node("Div", "a b", "map"),
    ]
    path = graph_file(
        tmp_path / "a.onnx", nodes, [("image", FLOAT, ANY)], [("map", FLOAT, ("N", 1, "H", "W"))]
    )
    assert map_kind(OnnxNetwork(read_onnx_file(path)), (32, 32)) == "probability"


@pytest.mark.parametrize("kind", ["probability", "logits"])
def test_maps_equal_rembgs_formula(tmp_path, kind):
    """What rembg does (rembg/sessions/base.py, u2net.py, birefnet_general.py), written out.

    rembg normalises in float64, which moves a level of 255 where it is truncated: so the map is compared to
    the bit for the same input, and that input with rembg's up to float32.
    """
    path = conv_file(tmp_path / "net.onnx", (1, 3, 64, 64), sigmoid=kind == "probability")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    card = load_baseline("rembg-u2net" if kind == "probability" else "rembg-birefnet-general")
    assert card.input.resample == card.output.resample == "lanczos" and card.output.kind == kind
    assert (card.input.mean, card.input.std, card.input.scaling) == (mean, std, "max")
    (tmp_path / "card.toml").write_text(
        f'title = "T"\nnetwork = "onnx"\n[input]\nresample = "lanczos"\nmean = {list(mean)}\n'
        f'[output]\nkind = "{kind}"\nresample = "lanczos"\n[weights]\nfile = "net.onnx"\n'
    )
    images = [picture(seed, 90 + seed, 120) for seed in range(4)]
    maps = sb.predict(tmp_path / "card.toml", images, device="cpu")
    session = importlib.import_module("onnxruntime").InferenceSession(
        str(path), providers=["CPUExecutionProvider"]
    )
    for image, found in zip(images, maps, strict=True):
        levels = np.array(Image.fromarray(image).resize((64, 64), Image.Resampling.LANCZOS))
        scaled = levels / max(np.max(levels), 1e-6)
        x = ((scaled - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)
        prepared = prepare(image, load_baseline(tmp_path / "card.toml").load().baseline.input)[None]
        np.testing.assert_allclose(prepared, x, rtol=0, atol=1e-6)
        raw = session.run(None, {"image": prepared})[0][:, 0]
        if kind == "logits":
            raw = 1 / (1 + np.exp(-raw))
        raw = (raw - raw.min()) / (raw.max() - raw.min())
        mask = Image.fromarray((raw[0] * 255).astype("uint8"))
        expected = np.asarray(mask.resize((image.shape[1], image.shape[0]), Image.Resampling.LANCZOS))
        np.testing.assert_array_equal(found, expected)


def test_copies_share_the_session_and_have_no_state(tmp_path):
    network = load_baseline(conv_file(tmp_path / "net.onnx")).load().network
    twin = copy.deepcopy(network)
    assert twin.network._sessions is network.network._sessions and not network.state_dict()


def test_the_contract_holds(tmp_path):
    outcomes = check_baseline(load_baseline(conv_file(tmp_path / "net.onnx", (1, 3, 48, 64))))
    assert all(outcome.passed for outcome in outcomes), outcomes


def test_what_cannot_be_run_is_one_line_and_onnxruntime_is_silent(tmp_path, capfd):
    shape = ("N", 1, "H", "W")
    operator = graph_file(
        tmp_path / "op.onnx", [node("Frob", "image", "m")], [("image", FLOAT, ANY)], [("m", FLOAT, shape)]
    )
    reshape = graph_file(
        tmp_path / "size.onnx",
        [node("Reshape", "image to", "r"), node("ReduceMean", "r", "m", axes=[1])],
        [("image", FLOAT, ANY)],
        [("m", FLOAT, shape)],
        {"to": np.array([1, 3, 7, 9])},
    )
    for path, message in (
        (operator, "No Op registered for Frob"),
        (conv_file(tmp_path / "opset.onnx", opset=99), "does not know this opset"),
        (conv_file(tmp_path / "ir.onnx", ir=99), "Unsupported model IR version: 99"),
        (reshape, "fails on an input of 1 x 3 x 256 x 256"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            load_baseline(path).load()
        assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_provider_that_onnxruntime_lacks_is_named(tmp_path):
    file = read_onnx_file(conv_file(tmp_path / "net.onnx"))
    open_session(file, torch.device("cpu"))
    if "CUDAExecutionProvider" in importlib.import_module("onnxruntime").get_available_providers():
        pytest.skip("this onnxruntime has the CUDA provider")
    with pytest.raises(InputError, match="no working CUDAExecutionProvider; install onnxruntime-gpu"):
        open_session(file, torch.device("cuda"))


def test_onnxruntime_reports_nothing(tmp_path):
    """A home of its own, because onnxruntime keeps what it will send in the user's cache."""
    conv_file(tmp_path / "net.onnx", (1, 3, 48, 64))
    script = "import sodbench as sb; sb.load_baseline('net.onnx').load()"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))}
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": str(Path(sb.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_onnxruntime_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r'needs onnxruntime: pip install "sodbench\[onnx\]"'):
        load_baseline(conv_file(tmp_path / "net.onnx")).load()


def test_an_md5_is_checked_when_loading_and_fetching(user_folder):
    good = conv_file(user_folder / "good.onnx", (1, 3, 48, 64))
    md5 = hashlib.md5(good.read_bytes()).hexdigest()
    toml = user_folder / "baselines/own.toml"
    toml.write_text(TOML + f'url = "http://127.0.0.1:9/net.onnx"\nmd5 = "{md5}"\n' + INPUT)
    baseline = load_baseline("own")
    other = conv_file(user_folder / "other.onnx", (1, 3, 32, 32))
    with pytest.raises(InputError, match=f"expected {md5}"):
        fetch_weights(baseline, str(other))
    assert not baseline.weights_path().exists()
    fetched = fetch_weights(baseline, str(good))
    assert fetched.known and baseline.load().weights_sha256 == fetched.sha256
    assert not list(fetched.path.parent.glob("*.sha256"))
    fetched.path.write_bytes(other.read_bytes())
    with pytest.raises(InputError, match=f"MD5 .*, expected {md5}; the file has changed"):
        baseline.load()
    toml.write_text(TOML + 'md5 = "abc"\n')
    with pytest.raises(InputError, match=r"weights\.md5: expected 32 hexadecimal digits"):
        load_baseline("own")


def test_an_onnx_file_is_not_trained_or_made_anew(tmp_path):
    baseline = load_baseline(conv_file(tmp_path / "net.onnx"))
    with pytest.raises(InputError, match="it can be run, not trained"):
        baseline.build()
    assert baseline.count_parameters() == WEIGHTS.size


def test_a_size_that_python_states_is_not_overridden(tmp_path):
    baseline = load_baseline(conv_file(tmp_path / "net.onnx"))
    own = dataclasses.replace(baseline, input=InputSpec(height=100, width=80))
    assert own.load().baseline.input.height == 100
    conv_file(tmp_path / "net.onnx", (1, 3, 48, 64))
    with pytest.raises(InputError, match="takes images of height 48 only"):
        own.load()
