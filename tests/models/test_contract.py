"""The contract: every shipped baseline keeps it, and each way of breaking it is found."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from sodbench.cli.main import main
from sodbench.models import baseline_names, load_baseline
from sodbench.models.baseline import Baseline
from sodbench.models.contract import CHECKS, check_baseline
from sodbench.models.settings import Inference

# one of each network in its small form; the wide ones are the same code
SMALL = ["basnet-tiny", "deeplabv3-tiny", "deeplabv3-pac-bal-tiny", "u2netp"]


@pytest.mark.parametrize("name", SMALL)
def test_small_baselines_keep_the_contract(name):
    outcomes = check_baseline(load_baseline(name), size=(64, 96))
    assert [o.check for o in outcomes] == ["builds", *CHECKS]
    assert all(o.passed for o in outcomes), outcomes


@pytest.mark.parametrize("name", ["basnet-keras", "ablation-unet", "ablation-rrm-lc", "ablation-rrm-ms"])
def test_wide_networks_keep_it_at_a_narrow_width(name, user_folder):
    (user_folder / "baselines" / "narrow.toml").write_text(
        f'extends = "{name}"\ntitle = "Narrow"\n[options]\nwidth = 16\n'
    )
    outcomes = check_baseline(load_baseline("narrow"), size=(64, 96))
    assert all(o.passed for o in outcomes), outcomes


def test_fp16_is_not_judged_on_random_weights(user_folder):
    """Untrained, a deep residual network's activations exceed the range of fp16."""
    (user_folder / "nets.py").write_text(
        "import torch\nclass Net(torch.nn.Conv2d):\n"
        "    def __init__(self):\n        super().__init__(3, 1, 1)\n"
        "    def forward(self, x):\n        y = super().forward(x)\n        return y + (1e6 * y - 1e6 * y)\n"
    )
    outcomes = {o.check: o for o in check_baseline(load_baseline("nets.py:Net"), size=(32, 40))}
    assert outcomes["half precision"].passed
    assert "fp16 needs trained weights" in outcomes["half precision"].detail
    torch.save(load_baseline("nets.py:Net").build().state_dict(), user_folder / "w.pth")
    trained = check_baseline(load_baseline("nets.py:Net"), user_folder / "w.pth", (32, 40))
    outcome = next(o for o in trained if o.check == "half precision")
    assert not outcome.passed and "fp16 gives values that are not finite" in outcome.detail


def test_every_baseline_has_a_recipe_that_is_valid():
    from sodbench.training.recipe import load_recipe

    for name in baseline_names():
        baseline = load_baseline(name)
        # what is an ONNX file is not trained here
        assert baseline.training or baseline.is_onnx, name
        if baseline.training:
            load_recipe(baseline.training, source=name)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x):
        return self.conv(x)


class WrongShape(Net):
    def forward(self, x):
        return self.conv(x).repeat(1, 3, 1, 1)


class NotFinite(Net):
    def forward(self, x):
        return self.conv(x) / 0


class Random(Net):
    def forward(self, x):
        return self.conv(x) + torch.rand(())


class LooksAtNeighbours(Net):
    def forward(self, x):
        return self.conv(x) - self.conv(x).mean()


class OnlyMultiplesOfEight(Net):
    def forward(self, x):
        y = self.conv(x)
        return y + nn.functional.interpolate(y[..., ::8, ::8], scale_factor=8)


class OverflowsInHalf(Net):
    def forward(self, x):
        y = self.conv(x)
        return y if y.dtype == torch.float32 else y * float("inf")


class HidesState(Net):
    def __init__(self):
        super().__init__()
        self.offset = torch.rand(())

    def forward(self, x):
        return self.conv(x) + self.offset


BROKEN = {
    "shapes": [WrongShape, NotFinite],
    "determinism": [Random],
    "batch independence": [LooksAtNeighbours],
    "odd sizes": [OnlyMultiplesOfEight],
    "half precision": [OverflowsInHalf],
    "state-dict round trip": [HidesState],
}


@pytest.mark.parametrize(("check", "kind"), [(c, k) for c, kinds in BROKEN.items() for k in kinds])
def test_each_breach_is_found(check, kind, monkeypatch):
    import dataclasses

    baseline = dataclasses.replace(
        load_baseline("basnet-tiny"),
        name="mine",
        options={},
        network="mine:net",
        weights=None,
        inference=Inference(),
    )
    monkeypatch.setattr("sodbench.models.callables.find_callable", lambda spec, who: kind)
    outcomes = {o.check: o for o in check_baseline(baseline, size=(32, 40))}
    assert not outcomes[check].passed and "\n" not in outcomes[check].detail
    if kind not in (WrongShape, NotFinite):
        assert outcomes["shapes"].passed


def test_the_command_prints_and_fails(user_folder, capsys):
    (user_folder / "nets.py").write_text(
        "import torch\nclass Net(torch.nn.Module):\n"
        "    def forward(self, x):\n        return x[:, :1] + torch.rand(())\n"
    )
    assert main(["baselines", "check", "basnet-tiny", "--size", "64", "64"]) == 0
    assert "ok      basnet-tiny: determinism" in capsys.readouterr().out
    assert main(["baselines", "check", "nets:Net", "--size", "32", "32", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)["nets.Net"]
    assert {k: result[3][k] for k in ("check", "passed")} == {"check": "determinism", "passed": False}
    assert main(["baselines", "check"]) == 2
    assert main(["baselines", "check", "basnet-tiny", "--size", "8", "8"]) == 2
    assert main(["baselines", "check", "basnet-tiny", "--weights", "gone.pth"]) == 1


def test_list_and_show(user_folder, capsys):
    assert main(["baselines", "list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in baseline_names())
    assert main(["baselines", "list", "--json"]) == 0
    names = [b["name"] for b in json.loads(capsys.readouterr().out)["baselines"]]
    assert names == baseline_names()
    assert main(["baselines", "show", "basnet"]) == 0
    shown = capsys.readouterr().out
    assert (
        "parameters: 87,060,360" in shown and "iterations = 400000" in shown and "\n# warmup = 0\n" in shown
    )
    assert main(["baselines", "show", "basnet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["training"]["lr"] == 1e-3
    assert main(["baselines", "show", "basnett"]) == 2


def test_what_show_prints_loads_to_an_equal_baseline(user_folder, monkeypatch, capsys):
    monkeypatch.setattr(Baseline, "count_parameters", lambda self: 5)  # which takes a second for some
    for name in baseline_names():
        shipped = load_baseline(name)
        assert main(["baselines", "show", name]) == 0
        (user_folder / "baselines" / "again.toml").write_text(capsys.readouterr().out)
        again = load_baseline("again")
        if shipped.weights is not None and shipped.weights.file is not None:
            assert again.weights_path() == shipped.weights_path()
            again = replace(again, weights=replace(again.weights, file=shipped.weights.file))
        assert replace(again, name=name, path=shipped.path) == shipped
        assert again.stated == shipped.stated
    assert main(["baselines", "show", "basnet-tiny"]) == 0
    shown = capsys.readouterr().out
    (user_folder / "baselines" / "mine.toml").write_text(shown.replace("gain = 3.0", "gain = 2.0"))
    mine = load_baseline("mine").load()
    assert mine.baseline.output.gain == 2.0 and mine.parameters == 5_455_080
