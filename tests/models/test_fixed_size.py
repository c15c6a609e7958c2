"""A user's network of fixed input size with weights of its own: predicted, scored, checked as any other."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sodbench.cli.main import main
from sodbench.data.images import read_image, read_map
from sodbench.data.preprocessing import finish, prepare
from sodbench.errors import InputError, Note
from sodbench.models import load_baseline
from sodbench.models.efficiency import measure
from sodbench.models.inference import Predictor
from sodbench.models.weights import state_digest
from sodbench.prediction import predict

OWN = Path(__file__).parent / "fixed_size.py"


@pytest.fixture(params=["own", "shared"])
def spec(request, user_folder) -> str:
    """`file.py:create` of the network beside this file and, where it is there, of the shared example."""
    source = OWN if request.param == "own" else request.getfixturevalue("examples") / "fixed_size_vit.py"
    (user_folder / source.name).write_text(source.read_text())
    return f"{source.name}:create"


@pytest.fixture
def photos(user_folder) -> Path:
    """A folder of five pictures of different sizes."""
    folder = user_folder / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i, size in enumerate([(40, 60), (33, 71), (64, 64), (20, 30), (90, 50)]):
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return folder


def _plain(spec: str, path: Path) -> np.ndarray:
    """The map of the network itself, without this package's predictor."""
    baseline = load_baseline(spec)
    network = baseline.load().network.network
    image = read_image(path)
    with torch.inference_mode():
        probability = network(torch.from_numpy(prepare(image, baseline.input))[None])[0, 0].numpy()
    return finish(probability, image.shape[:2], baseline.output.stretch)


@pytest.mark.parametrize(("precision", "levels"), [(None, 1), ("fp32", 1), ("bf16", 40), ("fp16", 8)])
def test_it_predicts(spec, photos, precision, levels):
    options = ["--precision", precision] if precision else []
    command = ["predict", spec, "--images", str(photos), "--out", "maps", "--device", "cpu", "--quiet"]
    assert main([*command, *options]) == 0
    paths = sorted(photos.iterdir())
    saved = [read_map(Path("maps") / path.name) for path in paths]
    for path, saliency in zip(paths, saved, strict=True):
        assert np.abs(saliency.astype(int) - _plain(spec, path)).max() <= levels
    maps = predict(spec, paths, precision=precision, device="cpu")
    assert all(map(np.array_equal, maps, saved))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_is_scored_and_recorded(spec, precision, capsys):
    command = ["run", spec, "--datasets", "sample", "--limit", "2", "--device", "cpu", "--quiet", "--json"]
    assert main([*command, "--precision", precision]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["scored"] == 2 and 0 < result["scores"]["MAE"] < 1
    (path,) = (path for path in Path("reports").rglob("*.json") if "provenance" in path.read_text())
    record = json.loads(path.read_text())
    assert record["weights_sha256"] == load_baseline(spec).load().weights_sha256
    assert record["provenance"]["weights"] is None


def test_lower_precision_is_autocast(spec):
    """The network's own tensors stay float32; torch chooses the operations that take bf16."""
    baseline = load_baseline(spec)
    loaded = baseline.load()
    predictor = Predictor(loaded.network, baseline, precision="bf16")
    assert {p.dtype for p in predictor.network.parameters()} == {torch.float32}
    seen = []
    predictor.network.network.head.register_forward_hook(lambda m, args, output: seen.append(output.dtype))
    size = (baseline.input.height, baseline.input.width)
    predictor(np.random.default_rng(0).random((2, 3, *size), dtype=np.float32))
    assert seen == [torch.bfloat16]


def test_it_keeps_the_contract(spec, capsys):
    assert main(["baselines", "check", spec]) == 0
    printed = capsys.readouterr().out
    assert "its own weights" in printed and "fixed size" in printed and "FAILED" not in printed
    assert "bf16" in printed and "fp16" in printed


def test_it_is_measured_in_every_form(spec):
    baseline = load_baseline(spec)
    size = (baseline.input.height, baseline.input.width)
    pictures = np.random.default_rng(0).random((1, 3, *size), dtype=np.float32)
    forms = ["fp32", "default", "bf16"]
    for result in measure(baseline.load().network, baseline, pictures, forms, seconds=0.01):
        assert not result.remark and result.levels_apart < 40


def test_a_wrong_size_is_explained(user_folder):
    (user_folder / "nets.py").write_text(OWN.read_text())
    message = r"fails on an input of 256 x 256 \(RuntimeError: .*\); .* give height and width in \[input\]"
    with pytest.raises(InputError, match=message) as caught:
        load_baseline("nets.py:undeclared").load()
    assert "\n" not in str(caught.value)


def test_a_declared_fixed_size_is_not_asked_for_others(user_folder, capsys):
    (user_folder / "nets.py").write_text(OWN.read_text())
    (user_folder / "baselines" / "mine.toml").write_text(
        'title = "Mine"\nnetwork = "nets.py:create"\n[input]\nheight = 32\nwidth = 32\nfixed = true\n'
        '[output]\nkind = "probability"\n'
    )
    assert main(["baselines", "check", "mine", "--json"]) == 0
    checks = {check["check"]: check for check in json.loads(capsys.readouterr().out)["mine"]}
    assert checks["odd sizes"] == {"check": "odd sizes", "passed": True, "said": "fixed size 32 x 32"}


def test_weights_of_its_own_are_used_and_recorded(user_folder):
    (user_folder / "nets.py").write_text(OWN.read_text())
    with pytest.warns(Note, match="no weights file is named") as notes:
        loaded = load_baseline("nets.py:create").load()
    assert loaded.weights_path is None
    assert loaded.weights_sha256 == state_digest(loaded.network.state_dict())
    assert len(notes) == 1 and loaded.weights_sha256[:16] in str(notes[0].message)
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    assert load_baseline("nets.py:create").load().weights_sha256 == loaded.weights_sha256
    assert torch.equal(torch.rand(2), expected)


def test_random_weights_are_refused(user_folder, photos, capsys):
    (user_folder / "nets.py").write_text(OWN.read_text())
    assert main(["predict", "nets.py:random", "--images", str(photos), "--out", "maps"]) == 2
    error = capsys.readouterr().err
    assert "they are random; give trained ones with --weights FILE" in error and "train nets" not in error
    assert not Path("maps").exists()
    # what does not depend on the weights can still be asked
    assert main(["baselines", "check", "nets.py:random"]) == 0
    assert "random weights" in capsys.readouterr().out


def test_a_file_replaces_its_own_weights(user_folder):
    (user_folder / "nets.py").write_text(OWN.read_text())
    state = load_baseline("nets.py:random").build().state_dict()
    torch.save(state, user_folder / "w.pth")
    loaded = load_baseline("nets.py:create").load(user_folder / "w.pth")
    assert torch.equal(loaded.network.state_dict()["position"], state["position"])
    assert loaded.weights_path == user_folder / "w.pth"


@pytest.mark.parametrize("kind", ["auto", "probability"])
def test_the_decided_kind_is_recorded(user_folder, kind):
    (user_folder / "nets.py").write_text(OWN.read_text())
    (user_folder / "baselines" / "mine.toml").write_text(
        'title = "Mine"\nnetwork = "nets.py:create"\n[input]\nheight = 32\nwidth = 32\n'
        f'[output]\nkind = "{kind}"\n'
    )
    assert load_baseline("mine").load().output_kind == "probability"
    assert load_baseline("basnet-tiny").load().output_kind == "logits"
