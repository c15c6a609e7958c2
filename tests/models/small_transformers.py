"""Small models as `transformers` saves them: a SegFormer, and one whose code comes with it."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

PROCESSOR = {
    "size": {"height": 64, "width": 48},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "resample": 2,
}
CONFIGURATION = """
from transformers import PretrainedConfig


class SmallConfig(PretrainedConfig):
    model_type = "small-saliency"

    def __init__(self, width=16, **more):
        self.width = width
        super().__init__(**more)
"""
MODELING = """
import pathlib

import torch
from torch import nn
from transformers import PreTrainedModel

from .configuration_small import SmallConfig

pathlib.Path(CANARY).write_text("the code ran")


class Small(PreTrainedModel):
    config_class = SmallConfig

    def __init__(self, config):
        super().__init__(config)
        self.conv = nn.Conv2d(3, config.width, 3, padding=1)
        self.out = nn.Conv2d(config.width, 1, 1)
        self.rates = [rate.item() for rate in torch.linspace(0, 1, 3)]
        self.post_init()

    def forward(self, x):
        features = torch.relu(self.conv(x))
        return [features, torch.sigmoid(self.out(features))]
"""


def save_segformer(folder: Path, labels: int = 2, **processor: Any) -> Path:
    """A SegFormer of 50,000 random parameters, saved by transformers; `processor` changes its processor."""
    from transformers import SegformerConfig, SegformerForSemanticSegmentation
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(labels)
    config = SegformerConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[16, 16, 16, 16],
        decoder_hidden_size=16,
        num_attention_heads=[1, 1, 1, 1],
        num_labels=labels,
    )
    model = SegformerForSemanticSegmentation(config)
    with torch.no_grad():  # its own start makes maps that hardly change over the picture
        for parameter in model.decode_head.parameters():
            parameter.normal_()
    model.save_pretrained(folder)
    write_processor(folder, **processor)
    return folder


def write_processor(folder: Path, **changed: Any) -> None:
    """The processor's file; a key set to None is left out."""
    content = {key: value for key, value in (PROCESSOR | changed).items() if value is not None}
    (folder / "preprocessor_config.json").write_text(json.dumps(content))


def save_code_model(folder: Path, canary: Path, **config: Any) -> Path:
    """A model of two convolutions whose classes lie in the folder; its code writes the file `canary`."""
    folder.mkdir(parents=True)
    (folder / "configuration_small.py").write_text(CONFIGURATION)
    (folder / "modeling_small.py").write_text(MODELING.replace("CANARY", repr(str(canary))))
    content = {
        "model_type": "small-saliency",
        "width": 16,
        "auto_map": {
            "AutoConfig": "configuration_small.SmallConfig",
            "AutoModelForImageSegmentation": "modeling_small.Small",
        },
    }
    (folder / "config.json").write_text(json.dumps(content | config))
    random = torch.Generator().manual_seed(0)
    state = {
        "conv.weight": torch.randn(16, 3, 3, 3, generator=random) * 0.2,
        "conv.bias": torch.zeros(16),
        "out.weight": torch.randn(1, 16, 1, 1, generator=random),
        "out.bias": torch.zeros(1),
    }
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    write_processor(folder)
    return folder
