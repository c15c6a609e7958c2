"""Folders of `transformers` models: what runs, with which input, and which code is run only where allowed."""

import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError, Note
from sodbench.files import sha256_of
from sodbench.models import create, load_baseline

transformers = pytest.importorskip("transformers")
safetensors_torch = pytest.importorskip("safetensors.torch")

from small_transformers import save_code_model, save_segformer, write_processor  # noqa: E402


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with SegFormers of 1, 2 and 5 labels: seg1, seg2, seg5."""
    folder = tmp_path_factory.mktemp("models")
    for labels in (1, 2, 5):
        save_segformer(folder / f"seg{labels}", labels)
    return folder


@pytest.fixture
def segformer(saved: Path, here: Path) -> Path:
    return Path(shutil.copytree(saved / "seg2", here / "seg"))


@pytest.fixture
def small(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A model with its own code, which writes `ran`; transformers copies code into the test's folder."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(here / "modules"))
    monkeypatch.syspath_prepend(str(here / "modules"))
    before = set(sys.modules)
    yield save_code_model(here / "small", here / "ran")
    for name in set(sys.modules) - before:
        if name.startswith("transformers_modules"):
            del sys.modules[name]


def images(count: int = 2) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (50, 60, 3)).astype(np.uint8) for _ in range(count)]


def job(name: str, root: Path, *more: str) -> list[str]:
    data = ["--datasets", "sod", "--data-root", str(root)]
    return ["run", name, *data, "--device", "cpu", "--quiet", "--metrics", "MAE", *more]


def written_out(folder: Path, picture: np.ndarray) -> np.ndarray:
    """The probability map as transformers' own example makes it: processor, model, resize, softmax."""
    model = transformers.AutoModelForSemanticSegmentation.from_pretrained(folder).eval()
    from PIL import Image

    small = Image.fromarray(picture).resize((48, 64), Image.Resampling.BILINEAR)
    levels = np.asarray(small, np.float32) / 255
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    x = torch.tensor(((levels - mean) / std).transpose(2, 0, 1))[None]
    with torch.inference_mode():
        logits = torch.nn.functional.interpolate(model(x).logits, (64, 48), mode="bilinear")
    probability = logits.softmax(1)[0, 1] if logits.shape[1] == 2 else logits.sigmoid()[0, 0]
    map_ = Image.fromarray(np.rint(probability.numpy() * 255).astype(np.uint8))
    return np.asarray(map_.resize((picture.shape[1], picture.shape[0]), Image.Resampling.BILINEAR))


@pytest.mark.parametrize("labels", [1, 2])
def test_a_folder_gives_the_maps_of_transformers(labels: int, saved: Path) -> None:
    picture = images(1)[0]
    found = sb.predict(saved / f"seg{labels}", picture, device="cpu")
    expected = written_out(saved / f"seg{labels}", picture)
    assert int(found.max()) - int(found.min()) > 20
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_the_first_of_two_labels_is_the_object_where_the_second_is_the_background(segformer: Path) -> None:
    picture = images(1)[0]
    before = sb.predict(segformer, picture, device="cpu")
    config = json.loads((segformer / "config.json").read_text())
    config["id2label"], config["label2id"] = (
        {"0": "object", "1": "background"},
        {"object": 0, "background": 1},
    )
    (segformer / "config.json").write_text(json.dumps(config))
    after = sb.predict(segformer, picture, device="cpu")
    assert np.abs(after.astype(int) + before - 255).max() <= 1


def test_one_of_several_labels_is_picked_in_a_toml(saved: Path, here: Path) -> None:
    with pytest.raises(InputError, match=r"seg5: 5 labels \(0 LABEL_0, .*\[options\] label = N"):
        load_baseline(saved / "seg5").load()
    (here / "baselines").mkdir()
    text = f'title = "Five"\nnetwork = "transformers"\n[options]\nmodel = "{saved / "seg5"}"\nlabel = 3\n'
    (here / "baselines" / "five.toml").write_text(text)
    x = torch.randn(1, 3, 64, 48)
    model = transformers.AutoModelForSemanticSegmentation.from_pretrained(saved / "seg5").eval()
    with torch.inference_mode():
        found = load_baseline("five").load().network(x)[0].sigmoid()
        full = torch.nn.functional.interpolate(model(x).logits, (64, 48), mode="bilinear")
    # the maps are brought to size as log odds, transformers' as logits: equal up to that order
    assert (found[0, 0] - full.softmax(1)[0, 3]).abs().mean() < 0.02
    (here / "baselines" / "five.toml").write_text(text.replace("= 3", "= 5"))
    with pytest.raises(InputError, match=r"options\.label: 5, but its labels are 0 to 4"):
        load_baseline("five").load()


def test_the_input_is_that_of_the_processor(segformer: Path) -> None:
    write_processor(segformer, resample=3, size=96, image_mean=[0.5, 0.5, 0.5], image_std=[0.25, 0.5, 1])
    found = load_baseline(segformer)
    assert (found.input.height, found.input.width, found.input.scaling) == (96, 96, "255")
    assert found.input.resample == "bicubic"
    assert found.input.mean == (0.5, 0.5, 0.5) and found.input.std == (0.25, 0.5, 1)
    assert not found.output.stretch and found.output.kind == "logits"
    write_processor(segformer, do_rescale=False, image_mean=[127.5] * 3, image_std=[255] * 3, resample=1)
    found = load_baseline(segformer)
    assert found.input.mean == (0.5, 0.5, 0.5) and found.input.std == (1, 1, 1)
    assert found.input.resample == "lanczos"
    write_processor(segformer, do_normalize=False)
    assert load_baseline(segformer).input.mean == (0, 0, 0)


def test_a_toml_states_what_differs(segformer: Path, here: Path) -> None:
    (here / "mine.toml").write_text(
        'title = "Mine"\nnetwork = "transformers"\n[options]\nmodel = "seg"\n'
        "[input]\nheight = 32\nwidth = 32\n[output]\nstretch = true\n"
    )
    found = load_baseline("mine.toml")
    assert (found.input.height, found.input.width, found.output.stretch) == (32, 32, True)
    assert found.input.mean == (0.485, 0.456, 0.406)
    assert found.load().weights_path == Path("seg/model.safetensors")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"resample": 0}, r"resample: expected 1 \(lanczos\), 2 .*, found 0"),
        ({"size": {"side": 5}}, "size: expected a whole number, or a table with height and width"),
        ({"size": "big"}, "size: expected"),
        ({"size": {"height": 0, "width": 5}}, "size: expected whole numbers from 1 to 16384"),
        ({"image_mean": None}, "image_mean: missing"),
        ({"image_std": [0, 0, 0]}, "std"),
        ({"do_flip_channel_order": True}, "BGR"),
        ({"rescale_factor": "x"}, "rescale_factor"),
    ],
)
def test_a_wrong_processor_is_one_line(changed: dict[str, object], says: str, segformer: Path) -> None:
    write_processor(segformer, **changed)
    with pytest.raises(InputError, match=says) as caught:
        load_baseline(segformer)
    assert "\n" not in str(caught.value) and "seg" in str(caught.value)


def test_what_is_assumed_is_noted(segformer: Path) -> None:
    write_processor(segformer, size={"shortest_edge": 64})
    with pytest.warns(Note, match="keeps their aspect; here they are stretched to 64 x 64"):
        load_baseline(segformer)
    (segformer / "preprocessor_config.json").unlink()
    with pytest.warns(Note, match=r"has no preprocessor_config\.json: .* 1024 x 1024"):
        assert load_baseline(segformer).input.height == 1024


def test_a_run_records_the_weights_and_is_reproduced(
    segformer: Path, root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        assert main(job("./seg", root)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    record = json.loads((here / "reports/runs/seg/sod/run.json").read_text())
    assert record["weights_sha256"] == sha256_of(segformer / "model.safetensors")
    assert record["provenance"]["baseline"] == "reports:../seg"
    assert record["provenance"]["trust_remote_code"] is False and record["provenance"]["remote_code"] == {}
    again = ["reproduce", "reports/runs/seg/sod", "--data-root", str(root), "--quiet"]
    assert main(again) == 0
    save_segformer(here / "other", 2)
    shutil.copy(here / "other" / "config.json", segformer)
    state = safetensors_torch.load_file(segformer / "model.safetensors")
    state["decode_head.classifier.bias"] += 1
    safetensors_torch.save_file(state, segformer / "model.safetensors")
    assert main(again) == 2
    assert "the run's weights have" in capsys.readouterr().err


def test_other_weights_of_the_same_network(segformer: Path, here: Path) -> None:
    state = safetensors_torch.load_file(segformer / "model.safetensors")
    torch.save({name: tensor + 1 for name, tensor in state.items()}, here / "w.pth")
    found = load_baseline(segformer).load(here / "w.pth").network.state_dict()
    assert torch.equal(found["decode_head.classifier.bias"], state["decode_head.classifier.bias"] + 1)
    assert create(str(segformer)).state_dict().keys() == found.keys()


def test_weights_in_several_files(segformer: Path) -> None:
    picture = images(1)[0]
    expected = sb.predict(segformer, picture, device="cpu")
    model = transformers.AutoModelForSemanticSegmentation.from_pretrained(segformer)
    (segformer / "model.safetensors").unlink()
    model.save_pretrained(segformer, max_shard_size="100KB")
    loaded = load_baseline(segformer).load()
    assert len(list(segformer.glob("model-*.safetensors"))) > 1 and loaded.weights_path is None
    assert np.array_equal(sb.predict(loaded, picture, device="cpu"), expected)
    next(segformer.glob("model-*.safetensors")).unlink()
    with pytest.raises(InputError, match=r"names model-.* which is not there"):
        load_baseline(segformer).load()


def test_weights_in_half_precision_are_computed_in_float32(segformer: Path) -> None:
    state = safetensors_torch.load_file(segformer / "model.safetensors")
    half = {name: tensor.bfloat16() for name, tensor in state.items()}
    safetensors_torch.save_file(half, segformer / "model.safetensors", metadata={"format": "pt"})
    found = load_baseline(segformer).load().network.state_dict()
    assert {tensor.dtype for tensor in found.values() if tensor.is_floating_point()} == {torch.float32}
    assert torch.equal(found["decode_head.classifier.bias"], half["decode_head.classifier.bias"].float())


def test_broken_folders_are_one_line(segformer: Path, here: Path) -> None:
    def refused(says: str) -> None:
        with pytest.raises(InputError, match=says) as caught:
            load_baseline(segformer).load()
        assert "\n" not in str(caught.value)

    good = safetensors_torch.load_file(segformer / "model.safetensors")

    def weights(state: dict[str, torch.Tensor]) -> None:
        safetensors_torch.save_file(state, segformer / "model.safetensors", metadata={"format": "pt"})

    weights({name: tensor for name, tensor in good.items() if "classifier" not in name})
    refused(r"seg: not weights of its network: 2 missing \(decode_head\.classifier\.bias")
    weights(good | {"extra": torch.zeros(2, 2)})
    refused(r"1 unexpected \(extra\)")
    weights(good | {"decode_head.classifier.bias": torch.zeros(7)})
    refused("seg: ")
    weights(good | {"decode_head.classifier.bias": torch.tensor([float("nan"), 0])})
    refused("1 of the 2 values of decode_head.classifier.bias are not finite")
    torch.save(good, segformer / "model.safetensors")
    refused(r"model\.safetensors: a file of torch\.save \(a pickle\)")
    (segformer / "model.safetensors").rename(segformer / "pytorch_model.bin")
    refused(r"holds its weights as pytorch_model\.bin only; .*save_pretrained")
    (segformer / "pytorch_model.bin").unlink()
    refused(r"holds no model\.safetensors")
    (segformer / "config.json").write_text('{"model_type": "bert"}')
    weights(good)
    refused("neither transformers nor auto_map of its config.json has a network for semantic segmentation")
    (segformer / "config.json").write_text('{"model_type": "unheard-of"}')
    refused("transformers cannot make its network")
    (segformer / "config.json").write_text("[]")
    refused(r"config\.json: expected a table with model_type")
    (segformer / "config.json").unlink()
    with pytest.raises(InputError, match=r"seg: holds no config\.json"):
        load_baseline("./seg")


def test_code_runs_only_where_it_is_allowed(
    small: Path, here: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refusals = (
        lambda: load_baseline(small).load(),
        lambda: load_baseline(small).build(),
        lambda: sb.predict(small, images()),
        lambda: sb.evaluate(str(small), "sod", data_root=root, reports=None, device="cpu"),
        lambda: create(str(small)),
    )
    for refused in refusals:
        with pytest.raises(InputError, match=r"configuration_small\.py, modeling_small\.py; .*--trust-rem"):
            refused()
    assert main(job(str(small), root)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "modeling_small.py" in error and "--trust-remote-code" in error
    assert main(["baselines", "show", str(small)]) == 0
    assert main(["baselines", "check", str(small)]) == 1
    assert not (here / "ran").exists()


def test_a_toml_cannot_allow_code(small: Path, here: Path) -> None:
    text = 'title = "M"\nnetwork = "transformers"\n{}[options]\nmodel = "small"\n{}'
    for at_top, in_options in (("trust_remote_code = true\n", ""), ("", "trust_remote_code = true\n")):
        (here / "mine.toml").write_text(text.format(at_top, in_options))
        with pytest.raises(InputError, match=r"unknown key '(options\.)?trust_remote_code'"):
            load_baseline("mine.toml")
    assert not (here / "ran").exists()


def test_code_that_is_allowed_runs_and_is_recorded(
    small: Path, here: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "mine.toml").write_text(
        'title = "M"\nnetwork = "transformers"\n[options]\nmodel = "small"\nmap = -1\n'
    )
    assert main(job("mine.toml", root, "--name", "mine", "--trust-remote-code")) == 0
    assert (here / "ran").exists()
    provenance = json.loads((here / "reports/runs/mine/sod/run.json").read_text())["provenance"]
    assert provenance["trust_remote_code"] is True and provenance["output_kind"] == "probability"
    files = ("configuration_small.py", "modeling_small.py")
    assert provenance["remote_code"] == {name: sha256_of(small / name) for name in files}
    (here / "ran").unlink()
    capsys.readouterr()
    again = ["reproduce", "reports/runs/mine/sod", "--data-root", str(root), "--quiet"]
    assert main(again) == 2
    assert "modeling_small.py, is code outside sodbench" in capsys.readouterr().err
    assert main([*again, "--trust"]) == 0
    with (small / "modeling_small.py").open("a") as file:
        file.write("# changed\n")
    capsys.readouterr()
    assert main([*again, "--trust"]) == 0
    assert "is not that of the record (remote_code)" in capsys.readouterr().out


def test_which_map_of_several(small: Path, here: Path) -> None:
    with pytest.raises(InputError, match=r"16 labels"):  # the first map of this model is its features
        load_baseline(small, trust_remote_code=True).load()
    (here / "mine.toml").write_text(
        'title = "M"\nnetwork = "transformers"\n[options]\nmodel = "small"\nmap = 2\n'
    )
    with pytest.raises(InputError, match=r"options\.map: 2, but the model returns 2"):
        load_baseline("mine.toml", trust_remote_code=True).load()


@pytest.mark.parametrize(
    ("auto_map", "says"),
    [
        ({"AutoModelForImageSegmentation": "other/model--modeling.Net"}, "its code lies in another model"),
        ({"AutoModelForImageSegmentation": "../../up.Net"}, "expected file.Class"),
        ({"AutoModelForImageSegmentation": 5}, "expected file.Class"),
        ([1], "auto_map: expected a table"),
        ({"AutoModelForImageSegmentation": "nofile.Net"}, "transformers cannot make its network"),
        ({"AutoConfig": "configuration_small.SmallConfig"}, "neither transformers nor auto_map"),
    ],
)
def test_wrong_code_entries(auto_map: object, says: str, small: Path) -> None:
    content = json.loads((small / "config.json").read_text()) | {"auto_map": auto_map}
    (small / "config.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=says) as caught:
        load_baseline(small, trust_remote_code=True).load()
    assert "\n" not in str(caught.value)


def test_a_name_of_the_hub_without_a_network(
    here: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(here / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert main(job("someone/model", root)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "`sodbench baselines fetch someone/model` downloads it" in error
    assert main(["baselines", "fetch", "someone/model", "--quiet"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "someone/model: cannot be downloaded from the hub" in error


def test_a_name_of_the_hub_from_its_cache(
    saved: Path, here: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = here / "hub" / "models--someone--model"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("1" * 40)
    shutil.copytree(saved / "seg2", cache / "snapshots" / ("1" * 40))
    from huggingface_hub import _snapshot_download, constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(here / "hub"))
    assert _snapshot_download.constants is constants
    assert main(job("someone/model", root)) == 0
    record = json.loads((here / "reports/runs/someone%2Fmodel/sod/run.json").read_text())
    assert record["provenance"]["baseline"] == "someone/model"
    assert main(["reproduce", "reports/runs/someone%2Fmodel/sod", "--data-root", str(root), "--quiet"]) == 0


def test_a_shipped_name_is_that_baseline(saved: Path, here: Path) -> None:
    shutil.copytree(saved / "seg2", here / "basnet-tiny")
    assert load_baseline("basnet-tiny").network == "basnet"
    assert load_baseline("./basnet-tiny").network == "transformers"


def test_describing_imports_no_transformers(segformer: Path) -> None:
    script = (
        "import sys; from sodbench.models import load_baseline; load_baseline('./seg'); "
        "print(sorted({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=segformer.parent, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_the_missing_package_is_one_line(segformer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setitem(sys.modules, "transformers.utils", None)
    with pytest.raises(InputError, match=r'needs transformers: pip install "sodbench\[hf\]"'):
        load_baseline(segformer).load()
