"""sodbench: the reproducible benchmark of salient object detection.

    import sodbench as sb

    run = sb.evaluate("basnet-tiny", "sample")                # predict, score, record: `sodbench run`
    dss = sb.score_maps("maps/DSS", "sod", name="DSS")        # maps made elsewhere: `sodbench score`
    sb.score(saliency_map, mask)                              # one pair: {"MAE": ..., "maxF": ...}
    maps = sb.predict("basnet-tiny", pictures)                # arrays, PIL images or paths -> uint8 maps
    sb.leaderboard([run, dss])                                # a pandas DataFrame, printed like the page
    sb.report([run, dss], "reports", formats=["html"])

Everything is imported on first use, so that `import sodbench` takes milliseconds; docs/api.md
lists all of it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sodbench.data.auditing.status import datasets as datasets
    from sodbench.data.folder import DataSet as DataSet
    from sodbench.data.folder import Sample as Sample
    from sodbench.data.folder import open_dataset as open_dataset
    from sodbench.data.folder import open_folders as open_folders
    from sodbench.errors import InputError as InputError
    from sodbench.evaluation import evaluate as evaluate
    from sodbench.evaluation import evaluate_all as evaluate_all
    from sodbench.map_parity import parity as parity
    from sodbench.map_scoring import score_maps as score_maps
    from sodbench.merging import merge as merge
    from sodbench.metrics import Protocol as Protocol
    from sodbench.metrics import Scorer as Scorer
    from sodbench.metrics import ScoreTable as ScoreTable
    from sodbench.metrics import load_protocol as load_protocol
    from sodbench.metrics import protocol_names as protocol_names
    from sodbench.metrics import score as score
    from sodbench.models import Baseline as Baseline
    from sodbench.models import baselines as baselines
    from sodbench.models import load_baseline as load_baseline
    from sodbench.prediction import predict as predict
    from sodbench.publishing.model_card import model_card as model_card
    from sodbench.publishing.publish import publish as publish
    from sodbench.record_audit import audit as audit
    from sodbench.reporting.comparison import compare as compare
    from sodbench.reporting.leaderboard import leaderboard as leaderboard
    from sodbench.reporting.write import report as report
    from sodbench.reproduction import reproduce as reproduce
    from sodbench.rescoring import rescore as rescore
    from sodbench.results.loading import load_runs as load_runs
    from sodbench.results.removing import remove_runs as remove_runs
    from sodbench.results.renaming import rename_runs as rename_runs
    from sodbench.results.run import Run as Run
    from sodbench.robustness import stress as stress
    from sodbench.suites.planner import plan_suite as plan_suite
    from sodbench.suites.report import report_suite as report_suite
    from sodbench.suites.running import run_suite as run_suite
    from sodbench.suites.suite import suite_names as suite_names
    from sodbench.torch_metrics import SaliencyMetrics as SaliencyMetrics
    from sodbench.training.job import train as train
    from sodbench.tree_scoring import score_tree as score_tree

__version__ = "0.1.0"

# where each public name lives, in the order of docs/api.md
_HOME = {
    "evaluate": "evaluation",
    "evaluate_all": "evaluation",
    "score_maps": "map_scoring",
    "score_tree": "tree_scoring",
    "rescore": "rescoring",
    "merge": "merging",
    "reproduce": "reproduction",
    "audit": "record_audit",
    "predict": "prediction",
    "train": "training.job",
    "score": "metrics",
    "Scorer": "metrics",
    "SaliencyMetrics": "torch_metrics",
    "ScoreTable": "metrics",
    "Protocol": "metrics",
    "load_protocol": "metrics",
    "protocol_names": "metrics",
    "baselines": "models",
    "load_baseline": "models",
    "Baseline": "models",
    "datasets": "data.auditing.status",
    "open_dataset": "data.folder",
    "open_folders": "data.folder",
    "DataSet": "data.folder",
    "Sample": "data.folder",
    "load_runs": "results.loading",
    "remove_runs": "results.removing",
    "rename_runs": "results.renaming",
    "Run": "results.run",
    "compare": "reporting.comparison",
    "parity": "map_parity",
    "stress": "robustness",
    "leaderboard": "reporting.leaderboard",
    "report": "reporting.write",
    "publish": "publishing.publish",
    "model_card": "publishing.model_card",
    "suite_names": "suites.suite",
    "plan_suite": "suites.planner",
    "run_suite": "suites.running",
    "report_suite": "suites.report",
    "InputError": "errors",
}
__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    """Imports a public name on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'sodbench' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"sodbench.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
