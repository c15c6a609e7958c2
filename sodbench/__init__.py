"""sodbench: the reproducible benchmark of salient object detection."""

__version__ = "0.1.0"
