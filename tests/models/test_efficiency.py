"""Counting and measuring: known counts, records that reports can read, and honest failures."""

import json
import math
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.models import create, load_baseline
from sodbench.models.efficiency import FORMS, Form, count_flops, count_parameters, make_form, measure
from sodbench.reporting.efficiency_columns import efficiency_of


def test_basnet_costs_what_its_authors_say():
    """254 GFLOPs for one image of 256 x 256: FLOPs = 2 x MACs."""
    with torch.device("meta"):
        network = create("basnet")
    assert count_parameters(network) == 87_060_360
    assert count_flops(network, (256, 256)) == pytest.approx(254e9, rel=0.001)


def test_a_convolution_is_counted_by_hand():
    network = torch.nn.Conv2d(3, 5, 3, padding=1, bias=False)
    assert count_flops(network, (7, 11)) == 2 * 3 * 5 * 9 * 7 * 11


def test_forms_are_measured_and_compared():
    baseline = load_baseline("basnet-tiny")
    torch.manual_seed(0)
    pictures = np.random.default_rng(0).standard_normal((2, 3, 64, 64)).astype(np.float32)
    forms = ["fp32", "channels-last", "folded", "bf16", "default"]
    results = measure(baseline.build(), baseline, pictures, forms, seconds=0.01)
    assert [m.form for m in results] == forms
    for m in results:
        assert m.images_per_second > 0 and m.peak_memory_bytes > 0
        for latency in (m.latency_ms, m.latency_1_ms):
            assert list(latency) == ["p50", "p90", "p95", "p99"]
            assert 0 < latency["p50"] <= latency["p90"] <= latency["p95"] <= latency["p99"]
        assert m.latency_1_ms != m.latency_ms  # of one image, not of both
        assert m.levels_apart < (1 if m.form in ("channels-last", "folded", "default") else 50)
    assert results[0].levels_apart == 0


def test_a_form_that_fails_is_reported(monkeypatch):
    monkeypatch.setitem(FORMS, "compiled", Form("fp32", compiled=True))

    def no_compiler(function):
        def call(x):
            raise RuntimeError("no C++ compiler\nsecond line")

        return call

    monkeypatch.setattr(torch, "compile", no_compiler)
    baseline = load_baseline("basnet-tiny")
    pictures = np.zeros((1, 3, 32, 32), np.float32)
    fp32, compiled = measure(baseline.build(), baseline, pictures, ["fp32", "compiled"], seconds=0.01)
    assert fp32.remark == "" and compiled.remark == "no C++ compiler"
    assert math.isnan(compiled.images_per_second)


def test_memory_is_not_available_where_the_system_does_not_tell(monkeypatch, user_folder, capsys):
    """Windows has neither /proc nor the module `resource`."""
    from sodbench.models import efficiency

    def absent(path, *args, **kwargs):
        raise FileNotFoundError(path)

    monkeypatch.setattr(efficiency.sys, "platform", "win32")
    monkeypatch.setattr(efficiency.Path, "read_text", absent)
    assert efficiency._resident_peak() is None
    monkeypatch.undo()
    monkeypatch.chdir(user_folder)
    monkeypatch.setattr(efficiency, "_resident_peak", lambda: None)
    assert (
        main(["bench", "basnet-tiny", "--seconds", "0.01", "--size", "32", "32", "--forms", "default"]) == 0
    )
    assert "peak memory: not available on this system" in capsys.readouterr().out
    record = json.loads((user_folder / "reports" / "efficiency" / "basnet-tiny.json").read_text())
    assert record["forms"][0]["peak_memory_bytes"] is None


def test_no_module_of_one_system_is_imported_at_the_top():
    code = (
        "import sys; sys.modules['resource'] = sys.modules['fcntl'] = None; "
        "import sodbench.models.efficiency, sodbench.prediction, sodbench.models.contract"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_forms_offer_the_known():
    with pytest.raises(InputError, match="did you mean 'bf16'"):
        measure(torch.nn.Identity(), load_baseline("basnet-tiny"), np.zeros((1, 3, 32, 32)), ["bf61"])


def test_the_command_records_what_the_leaderboard_reads(user_folder, capsys):
    command = [
        "bench",
        "basnet-tiny",
        "--seconds",
        "0.01",
        "--size",
        "64",
        "64",
        "--forms",
        "fp32",
        "default",
    ]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "5,455,080 parameters" in printed and "default" in printed
    record = json.loads((user_folder / "reports" / "efficiency" / "basnet-tiny.json").read_text())
    assert record["parameters"] == 5_455_080 and record["flops"] > 0
    assert record["images_per_second"] > 0 and record["measured_form"] == "default"
    assert [f["form"] for f in record["forms"]] == ["fp32", "default"]
    for form in record["forms"]:
        assert form["latency_ms"] == form["latency_1_ms"] and "p95" in form["latency_ms"]
        assert form["flops"] > 2 * record["flops"]  # basnet-tiny sees several views of an image
    # batch normalisation is folded into the convolutions
    assert record["forms"][0]["parameters"] == 5_455_080 > record["forms"][1]["parameters"] > 5_400_000
    assert all(head in printed for head in ("p50 ms", "p95 ms", "peak MB", "params M", "GFLOPs"))
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["efficiency"][0]["name"] == "basnet-tiny"


@pytest.mark.parametrize(
    "wrong",
    [["--batch", "0"], ["--seconds", "0"], ["--size", "8", "8"], ["--forms", "bf61"], ["--threads", "0"]],
)
def test_wrong_options_are_refused(wrong, user_folder, capsys):
    assert main(["bench", "basnet-tiny", *wrong]) == 2
    assert capsys.readouterr().err.count("sodbench: error:") == 1
    assert not (user_folder / "reports").exists()


def test_flops_and_speed_of_a_table_are_of_the_same_passes(user_folder, monkeypatch):
    """A network that sees four views of an image: what is counted is what each timed call does."""
    calls = []

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Conv2d(3, 1, 1)

        def forward(self, x):
            calls.append(tuple(x.shape))
            return self.layer(x)

    monkeypatch.setitem(sys.modules, "four_views", SimpleNamespace(Net=Net))
    (user_folder / "baselines" / "views.toml").write_text(
        'title = "Four views"\nnetwork = "four_views:Net"\n[input]\nheight = 32\nwidth = 32\n'
        "[inference]\nscales = [1.0, 2.0]\nmirror = true\n"
    )
    baseline = load_baseline("views")
    timed = make_form(baseline.load_or_build()[0], baseline, "default", "cpu")
    calls.clear()
    timed(np.zeros((1, 3, 32, 32), np.float32))
    expected = sum(2 * 3 * h * w for _, _, h, w in calls)
    assert len(calls) == 4 and expected == 2 * (2 * 3 * 32**2 + 2 * 3 * 64**2)
    assert main(["bench", "views", "--seconds", "0.01", "--forms", "fp32", "default"]) == 0
    run = SimpleNamespace(name="views", provenance=SimpleNamespace(baseline=None))
    columns = efficiency_of(run, user_folder / "reports")
    assert columns["flops"] == expected and columns["parameters"] == 4
    record = user_folder / "reports" / "efficiency" / "views.json"
    written = json.loads(record.read_text())
    assert columns["images_per_second"] == written["images_per_second"] and written["flops"] < expected
    record.write_text(json.dumps(written | {"measured_form": "gone"}))
    assert math.isnan(efficiency_of(run, user_folder / "reports")["flops"])
