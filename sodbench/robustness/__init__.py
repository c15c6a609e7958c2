"""Stress: one baseline on corrupted images, beside the same images as they are.

`study` (the main job, `stress`), `predicting` (corrupt in memory, predict, score) and `recorded` (what
becomes the record, and on what its scores depend).
"""

from sodbench.robustness.study import Stress, stress

__all__ = ["Stress", "stress"]
