"""Good inputs, which must be taken: without them a command that refuses everything would pass."""

from .case import Case

REPORTS = ("work/reports/*",)
NET = ("net.py:create", "--weights", "net.pth", "--device", "cpu")
TRAINING = (
    "--set",
    "training.dataset=sod",
    "--set",
    "training.iterations=2",
    "--set",
    "training.batch=2",
    "--set",
    "training.lr=0.001",
    "--set",
    "training.resize=32",
    "--workers",
    "0",
    "--device",
    "cpu",
    "--quiet",
)


def _good(name: str, *run: str, **more: object) -> Case:
    return Case(f"good/{name}", run, code=0, **more)  # type: ignore[arg-type]


def _api() -> None:
    import numpy as np
    import torch

    import sodbench as sb
    from sodbench.losses import HybridLoss
    from sodbench.models import create

    mask = np.zeros((16, 16), np.uint8)
    mask[4:8, 4:8] = 255
    scorer = sb.Scorer()
    scorer.update(mask, mask, name="one")
    assert scorer.result().scores["MAE"] == 0
    runs = sb.load_runs("reports")
    assert len(sb.leaderboard(runs)) == 4
    assert str(sb.compare(*(run for run in runs if run.dataset == "sod"), resamples=100))
    assert len(sb.open_folders("own", "masks", "images")) == 3
    assert sb.load_protocol("raw").name == "raw"
    assert sb.predict(sb.load_baseline("net.py:create"), "images/a.png", weights="net.pth").shape == (40, 48)
    assert float(HybridLoss()(torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16))) > 0
    assert create("unet") is not None


GOOD = [
    _good(
        "bench-sweep",
        "bench",
        "sweep",
        *NET,
        "--datasets",
        "sod",
        "--sizes",
        "32",
        "64",
        "--rounds",
        "1",
        "--quiet",
        prints="size.*MAE.*\n *32 .*\n *64 ",
        changes=REPORTS,
    ),
    _good(
        "stress",
        "stress",
        *NET,
        "--datasets",
        "sod",
        "--kinds",
        "fog",
        "aspect",
        "--severities",
        "3",
        "--quiet",
        prints="kind.*sev. 3.*\n(.*\n)*  fog .*\n(.*\n)*  aspect ",
        changes=REPORTS,
    ),
    _good("score", "score", "maps/DSS", "--dataset", "sod", "--quiet", "--name", "new", changes=REPORTS),
    _good(
        "score-own",
        "score",
        "own",
        "--masks",
        "masks",
        "--images",
        "images",
        "--name",
        "n",
        "--quiet",
        changes=REPORTS,
    ),
    _good(
        "score-tree",
        "score",
        "maps",
        "--layout",
        "{method}",
        "--dataset",
        "sod",
        "--pattern",
        "{name}.png",
        "--quiet",
        prints="DSS.*\n.*Other",
        changes=REPORTS,
    ),
    _good(
        "run", "run", *NET, "--datasets", "sod", "--name", "n", "--quiet", changes=(*REPORTS, "work/maps/n*")
    ),
    _good(
        "run-no-maps",
        "run",
        *NET,
        "--datasets",
        "sod",
        "--name",
        "n",
        "--no-maps",
        "--quiet",
        changes=REPORTS,
    ),
    _good(
        "predict", "predict", *NET, "--images", "images", "--out", "out", "--quiet", changes=("work/out*",)
    ),
    _good("train", "train", "net.py:create", *TRAINING, "--out", "trained", changes=("work/trained*",)),
    _good("datasets-list", "datasets", "list", talks=True),
    _good("datasets-show", "datasets", "show", "sod"),
    _good("datasets-verify", "datasets", "verify", "sod"),
    _good(
        "datasets-add",
        "datasets",
        "add",
        ".",
        "--name",
        "birds",
        "--images",
        "images",
        "--masks",
        "masks",
        talks=True,
        changes=("work/datasets/*",),
    ),
    _good("protocols-list", "protocols", "list"),
    _good("protocols-show", "protocols", "show", "raw"),
    _good("protocols-compare", "protocols", "compare", "maps/DSS", "--dataset", "sod", "--quiet"),
    _good(
        "protocols-explain",
        "protocols",
        "explain",
        "maps/DSS",
        "--dataset",
        "sod",
        "--published",
        "MAE=.1",
        "--quiet",
    ),
    _good("baselines-list", "baselines", "list"),
    _good("baselines-show", "baselines", "show", "basnet-tiny"),
    _good("reproduce", "reproduce", "reports/runs/DSS/sod", "--quiet"),
    _good(
        "reproduce-run",
        "reproduce",
        "reports/runs/net/sod",
        "--trust",
        "--quiet",
        changes=("work/reproduced/*",),
    ),
    _good(
        "report",
        "report",
        "--formats",
        "markdown",
        "html",
        "csv",
        "json",
        "latex",
        "--figures",
        "pr",
        "distribution",
        talks=True,
        changes=REPORTS,
        seconds=120,
    ),
    _good("check", "check"),
    _good("compare", "compare", "DSS", "Other", "--resamples", "100"),
    _good("show", "show", "DSS", "3096", "--out", "sheet.png", changes=("work/sheet.png",)),
    _good("audit", "audit", "reports", "--quiet"),
    _good(
        "bench",
        "bench",
        "net.py:create",
        "--seconds",
        "0.1",
        "--forms",
        "fp32",
        "--device",
        "cpu",
        talks=True,
        changes=REPORTS,
    ),
    Case("good/library", _api, code=0),
]
