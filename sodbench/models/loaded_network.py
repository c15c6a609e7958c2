"""A network in eval mode with its weights, and the baseline that it is."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn

    from sodbench.models.baseline import Baseline


@dataclass(frozen=True, repr=False)
class LoadedNetwork:
    """A network in eval mode with its weights, and the baseline that it is.

    `weights_path` is None where the network's callable brought the weights; `weights_sha256` is then
    `weights.state_digest` of its state, else the digest of the file (`onnx_file.weights_digest`). Of an ONNX
    file the baseline holds what the file decides, such as the size of the input.
    """

    network: "nn.Module"
    weights_path: Path | None
    weights_sha256: str
    baseline: "Baseline"

    @property
    def output_kind(self) -> Literal["logits", "probability"]:
        """What the maps are that the network itself returns; for `kind = "auto"` what was decided."""
        kind: Literal["logits", "probability"] = getattr(self.network, "kind", "logits")
        return kind

    @property
    def parameters(self) -> int:
        """How many parameters the network has; of an ONNX file, real numbers that it holds as weights."""
        from sodbench.models.efficiency import count_parameters

        return count_parameters(self.network)

    def provider(self, device: str) -> str | None:
        """The onnxruntime provider that computes on a device; None for a network of torch."""
        if not self.baseline.is_onnx:
            return None
        from sodbench.models.onnx_network import provider

        return provider(device)

    def __repr__(self) -> str:
        return f"<LoadedNetwork {self.baseline.name}: {self.parameters:,} parameters, {self._weights()}>"

    def _repr_html_(self) -> str:
        facts = {**self.baseline.facts(), "parameters": f"{self.parameters:,}", "weights": self._weights()}
        return html_table(self.baseline.name, {**facts, "maps": self.output_kind})

    def _weights(self) -> str:
        return f"{self.weights_path or 'its own weights'} (sha256 {self.weights_sha256[:16]}...)"


def html_table(caption: str, facts: Mapping[str, str]) -> str:
    """A table of facts for a notebook."""
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in facts.items())
    return f"<table><caption>{html.escape(caption)}</caption>{rows}</table>"
