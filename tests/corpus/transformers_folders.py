"""Folders of transformers models: pickles, code that is not allowed, names of the hub; and parity."""

import json
import os
from collections.abc import Callable
from typing import Any

from .case import Case
from .safetensors_files import BAD
from .weights import FILES
from .world import CANARY, World

JOB = ("--datasets", "sod", "--quiet", "--device", "cpu", "--name", "n")
OFFLINE = (("HF_HUB_OFFLINE", "1"), ("HF_HUB_DISABLE_TELEMETRY", "1"))
SEGFORMER = {
    "model_type": "segformer",
    "depths": [1, 1, 1, 1],
    "hidden_sizes": [16, 16, 16, 16],
    "decoder_hidden_size": 16,
    "num_attention_heads": [1, 1, 1, 1],
    "id2label": {"0": "object"},
    "label2id": {"object": 0},
}
PROCESSOR: dict[str, Any] = {
    "size": {"height": 32, "width": 32},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [1, 1, 1],
    "resample": 2,
}
CODE = {"auto_map": {"AutoConfig": "modeling.Config", "AutoModelForImageSegmentation": "modeling.Net"}}


def _folder(
    world: World,
    config: object = SEGFORMER,
    processor: object = PROCESSOR,
    weights: Callable[[World], bytes] | None = BAD["no-such-tensor"][0],
) -> None:
    """The folder `model`; its weights are those of another network unless they are given."""
    for name, content in (("config.json", config), ("preprocessor_config.json", processor)):
        if content is not None:
            world.write(f"model/{name}", content if isinstance(content, str) else json.dumps(content))
    if weights is not None:
        world.write("model/model.safetensors", weights(world))


def _code(world: World) -> None:
    _folder(world, SEGFORMER | {"model_type": "own"} | CODE)
    world.write("model/modeling.py", CANARY)


def _case(what: str, says: str, run: tuple[str, ...] = ("run", "./model", *JOB), **more: Any) -> Case:
    """A case on the folder; where `build` is not given, `_folder` with the rest of the keywords."""
    keywords = {key: more.pop(key) for key in ("config", "processor", "weights") if key in more}
    build = more.pop("build", lambda world: _folder(world, **keywords))
    settings = {"environment": OFFLINE, "megabytes": 1200, **more}
    return Case(f"transformers/{what}", run, says=says, build=build, **settings)


# processors that cannot be kept: key -> values
PROCESSORS: dict[str, tuple[object, ...]] = {
    "size": (
        0,
        -1,
        "big",
        [],
        {"height": 5},
        {"height": "x", "width": 5},
        {"height": 1e9, "width": 5},
        99999,
    ),
    "resample": (0, 4, 77, "bilinear", -1),
    "image_mean": (None, [0.5], "x", [1e9, 0, 0]),
    "image_std": ([0, 0, 0], [1, 1, -1], {}),
    "rescale_factor": (0, -1, "x"),
    "do_flip_channel_order": (True,),
    "do_normalize": ("x",),
}


def _processors() -> list[Case]:
    words = {"image_mean": "mean", "image_std": "std", "rescale_factor": "rescale_factor|mean|std"}
    return [
        _case(
            f"processor-{key}-{number}",
            f"model.*({words.get(key, key)})",
            ("baselines", "show", "./model"),
            processor=PROCESSOR | {key: value},
        )
        for key, values in PROCESSORS.items()
        for number, value in enumerate(values)
    ]


def _describe_without_weights() -> None:
    """From Python: a folder that is described, and then refused when it is loaded."""
    from sodbench.models import load_baseline

    os.environ.update(dict(OFFLINE))
    load_baseline("./model").load()


CASES = [
    *_processors(),
    _case("processor-no-json", "preprocessor_config\\.json: not valid JSON", processor="{"),
    _case("processor-a-list", "preprocessor_config\\.json", processor=[1]),
    _case("config-no-json", "config\\.json: not valid JSON", config="{"),
    _case("config-nested", "config\\.json: not valid JSON", config="[" * 100_000),
    _case("config-a-list", "config\\.json: expected a table with model_type", config=[]),
    _case("config-without-type", "config\\.json: expected a table with model_type", config={}),
    _case("config-missing", "model: holds no config\\.json", config=None),
    _case("config-unheard-type", "model: transformers cannot make", config={"model_type": "unheard"}),
    _case("config-no-segmentation", "model: neither transformers nor", config={"model_type": "bert"}),
    _case("config-of-text", "model", config=SEGFORMER | {"hidden_sizes": "wide"}),
    _case("config-other-lengths", "model", config=SEGFORMER | {"depths": [1]}, whole=True),
    _case(
        "config-too-large",
        "model",
        config=SEGFORMER | {"hidden_sizes": [1 << 40] * 4, "decoder_hidden_size": 1 << 40},
        megabytes=2048,
    ),
    _case(
        "config-adapter",
        "model: holds an adapter",
        build=lambda w: [_folder(w), w.write("model/adapter_config.json", "{}")],
    ),
    _case("weights-of-another", "model: not weights of its network"),
    _case("weights-missing", "model: holds no model\\.safetensors", weights=None),
    _case(
        "weights-pickled",
        "model: holds its weights as pytorch_model\\.bin only",
        build=lambda w: [
            _folder(w, weights=None),
            w.write("model/pytorch_model.bin", FILES["pickled-code"][0](w)),
        ],
    ),
    *(
        _case(f"weights-{what}", "model\\.safetensors", weights=BAD[what][0])
        for what in ("pickled-code", "zipped-code", "overlapping", "no-json", "no-tensors", "empty")
    ),
    *(
        _case(
            f"index-{what}",
            "model",
            build=lambda w, index=index: [
                _folder(w, weights=None),
                w.write("model/model.safetensors.index.json", index),
            ],
        )
        for what, index in {
            "no-json": "{",
            "empty": "{}",
            "outside": '{"weight_map": {"a": "../../net.safetensors"}}',
            "pickle": '{"weight_map": {"a": "pytorch_model.bin"}}',
            "number": '{"weight_map": {"a": 5}}',
            "missing": '{"weight_map": {"a": "model-1.safetensors"}}',
        }.items()
    ),
    *(
        _case(
            f"code-in-{what}", "modeling\\.py.*--trust-remote-code", run, build=_code, talks=what == "bench"
        )
        for what, run in {
            "run": ("run", "./model", *JOB),
            "predict": ("predict", "./model", "--images", "images", "--out", "out", "--quiet"),
            "bench": ("bench", "./model", "--seconds", "0.1", "--forms", "fp32"),
            "parity": ("compare", "--parity", "maps/DSS", "./model", "--dataset", "sod", "--quiet"),
        }.items()
    ),
    _case("code-in-show", "--trust-remote-code", ("baselines", "show", "./model"), build=_code, code=0),
    _case(
        "code-in-check", "", ("baselines", "check", "./model"), build=_code, code=1, prints="modeling\\.py"
    ),
    _case(
        "code-elsewhere",
        "its code lies in another model",
        ("run", "./model", *JOB, "--trust-remote-code"),
        config=SEGFORMER | {"auto_map": {"AutoModelForImageSegmentation": "a/b--modeling.Net"}},
    ),
    _case(
        "code-outside",
        "expected file\\.Class",
        ("run", "./model", *JOB, "--trust-remote-code"),
        config=SEGFORMER | {"auto_map": {"AutoModelForImageSegmentation": "../../net.create"}},
    ),
    _case("hub-name", "no model of this name in the hub's cache", ("run", "some/model", *JOB), build=_folder),
    _case("hub-fetch", "some/model: cannot be downloaded", ("baselines", "fetch", "some/model", "--quiet")),
    *(
        _case(
            f"toml-{what}",
            says,
            ("baselines", "show", "own"),
            build=lambda w, text=text: [
                _folder(w),
                w.write("baselines/own.toml", f'title = "O"\nnetwork = "transformers"\n[options]\n{text}\n'),
            ],
        )
        for what, text, says in (
            ("no-model", "", "own\\.toml: options\\.model: missing"),
            ("model-a-number", "model = 5", "own\\.toml: options\\.model"),
            ("model-nowhere", 'model = "../nowhere/at/all"', "nowhere/at/all: no such folder"),
            ("model-empty", 'model = ""', "own\\.toml: options\\.model"),
            ("trust", 'model = "model"\ntrust_remote_code = true', "options\\.trust_remote_code"),
            ("label-text", 'model = "model"\nlabel = "x"', "own\\.toml: options\\.label"),
        )
    ),
    _case("from-python", "", run=_describe_without_weights, weights=None),  # type: ignore[arg-type]
    *(
        Case(f"parity/{what}", ("compare", "--parity", *run, "--quiet"), says=says)
        for what, run, says in (
            ("no-data-set", ("maps/DSS", "maps/Other"), "name it with --dataset"),
            ("one-form", ("maps/DSS", "--dataset", "sod"), "found 1"),
            ("no-such-folder", ("maps/DSS", "maps/Otter", "--dataset", "sod"), "maps/Otter"),
            ("no-such-set", ("maps/DSS", "maps/Other", "--dataset", "sodd"), "sodd"),
            ("no-such-form", ("maps/DSS", "net.py:create@fp64", "--dataset", "sod"), "unknown form 'fp64'"),
            ("no-such-device", ("maps/DSS", "net.py:create@cuda:9", "--dataset", "sod"), "cuda:9"),
            ("maps-of-another-set", ("maps/DSS", "own", "--dataset", "sod"), "own: 3 of 3 maps"),
            ("a-file", ("maps/DSS", "net.pth", "--dataset", "sod"), "net\\.pth"),
            ("a-folder-of-folders", ("maps", "maps/DSS", "--dataset", "sod"), "maps: 3 of 3 maps"),
            ("levels", ("maps/DSS", "maps/Other", "--dataset", "sod", "--levels", "-1"), "--levels"),
            ("score", ("maps/DSS", "maps/Other", "--dataset", "sod", "--score", "inf"), "--score"),
            (
                "weights",
                ("maps/DSS", "net.py:create", "--dataset", "sod", "--weights", "net.py"),
                "net\\.py: not a PyTorch",
            ),
        )
    ),
    Case("parity/its-option-alone", ("compare", "DSS", "Other", "--levels", "1"), says="goes with --parity"),
]
