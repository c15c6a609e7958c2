"""Networks and baselines: `create` makes a fresh network, `load_baseline` reads a recipe.

Every network's forward returns a tuple of logits, N x 1 x H x W each, the final map first. Nothing here
imports torch before a network is made, so that listing baselines stays fast.
"""

from sodbench.models.registry import Baseline, LoadedNetwork, baseline_names, create, load_baseline

__all__ = ["Baseline", "LoadedNetwork", "baseline_names", "create", "load_baseline"]
