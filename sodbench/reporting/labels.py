"""How metrics are named in tables and figures, and in which order they stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sodbench.metrics.protocol import DEFAULT as DEFAULT_PROTOCOL
from sodbench.metrics.registry import all_metrics, split_name

__all__ = [
    "DEFAULT_PROTOCOL",
    "Label",
    "arrow",
    "label",
    "main_metric",
    "order",
    "protocols_of",
    "split_name",
]

_LATEX = {
    "MAE": r"\mathrm{MAE}",
    "maxF": r"F_{\beta}^{\max}",
    "meanF": r"F_{\beta}^{\mathrm{mean}}",
    "adpF": r"F_{\beta}^{\mathrm{adp}}",
    "wF": r"F_{\beta}^{w}",
    "S": r"S_{\alpha}",
    "maxE": r"E_{\phi}^{\max}",
    "meanE": r"E_{\phi}^{\mathrm{mean}}",
    "adpE": r"E_{\phi}^{\mathrm{adp}}",
    "relaxF": r"\mathit{relax}F_{\beta}^{b}",
}


@dataclass(frozen=True)
class Label:
    """A metric in print: its name in plain text and in LaTeX, and which way is better (None: unknown)."""

    text: str
    latex: str
    higher_is_better: bool | None = None


def label(full: str) -> Label:
    """The label of a metric, by plain or full name; an unknown metric has its name as text."""
    metric = split_name(full)[0]
    latex = _LATEX.get(metric, rf"\mathrm{{{''.join(c for c in metric if c.isalnum())}}}")
    info = all_metrics().get(metric)
    return Label(metric, latex) if info is None else Label(info.title, latex, info.higher_is_better)


def arrow(full: str) -> str:
    """The arrow that says which way is better; empty for an unknown metric."""
    return {True: "↑", False: "↓", None: ""}[label(full).higher_is_better]


def protocols_of(metrics: Iterable[str]) -> list[str]:
    """The protocols of full metric names, each once, in the order in which they appear."""
    return list(dict.fromkeys(split_name(full)[1] for full in metrics))


def main_metric(metrics: Sequence[str], wanted: str = "maxF") -> str | None:
    """The one of `metrics` (full names) that ranks methods: `wanted`, plain or full, else the first one."""
    found = (full for full in metrics if wanted in (full, split_name(full)[0]))
    return next(found, metrics[0] if metrics else None)


def order(full: str) -> tuple[int, str]:
    """Sort key: metrics in the order in which papers print them, unknown ones last."""
    known = list(all_metrics())
    metric = split_name(full)[0]
    return (known.index(metric) if metric in known else len(known), full)
