"""Weights files: not finite, not real, not dense, of another network, with code in them, without end."""

import io
import json
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .case import Build, Case
from .world import World

RUN = ("run", "net.py:create", "--datasets", "sod", "--name", "n", "--device", "cpu", "--quiet", "--weights")


class _Code:
    """Unpickling it would write a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (
            "import os, pathlib\npathlib.Path(os.environ['CORPUS_TOP'], 'CANARY').write_text('ran')",
        )


def _torch(make: Callable[[Any, dict[str, Any]], object], **options: object) -> Callable[[World], bytes]:
    """What torch.save writes of `make(torch, state)`, the good state being {"gain": 4, "bias": 0}."""

    def content(world: World) -> bytes:
        import torch

        out = io.BytesIO()
        state = {"gain": torch.tensor(4.0), "bias": torch.zeros(1, 3, 1, 1)}
        torch.save(make(torch, state), out, **options)  # type: ignore[arg-type]
        return out.getvalue()

    return content


def _itself(torch: Any, state: dict[str, Any]) -> object:
    outer: dict[str, Any] = {"model": {}}
    outer["model"]["again"] = outer
    return outer


def _deep(torch: Any, state: dict[str, Any]) -> object:
    for _ in range(300):
        state = {"model": state}
    return state


def _subclass(torch: Any, state: dict[str, Any]) -> object:
    return state | {"gain": torch.nn.Parameter(torch.tensor(float("nan")))}


def _script(world: World) -> bytes:
    import torch

    out = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Identity(), torch.zeros(1)), out)
    return out.getvalue()


def _rezipped(
    change: Callable[[str, bytes], bytes | None], kind: int = zipfile.ZIP_STORED
) -> Callable[[World], bytes]:
    """The good file with other members: `change` gives the new bytes, None leaves a member out."""

    def content(world: World) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(world.work / "net.pth") as good, zipfile.ZipFile(out, "w", kind) as new:
            for member in good.infolist():
                if (kept := change(member.filename, good.read(member))) is not None:
                    new.writestr(member.filename, kept)
        return out.getvalue()

    return content


def _good(world: World) -> bytes:
    return (world.work / "net.pth").read_bytes()


def _legacy_pickle(world: World) -> bytes:
    return pickle.dumps(_Code())


def _big_bomb(name: str, content: bytes) -> bytes | None:
    return bytes(1 << 30) if "/data/" in name else content


FINITE, DENSE = "finite|NaN|inf", "dense|strided|layout|sparse"
# content -> what the error says besides the file's name
FILES: dict[str, tuple[Callable[[World], bytes], str]] = {
    "empty": (lambda w: b"", "weights|empty"),
    "text": (lambda w: b"weights\n", "not a PyTorch"),
    "html": (lambda w: b"<!DOCTYPE html><html>log in</html>", "not a PyTorch"),
    "git-lfs": (lambda w: b"version https://git-lfs.github.com/spec/v1\n", "not a PyTorch"),
    "safetensors": (lambda w: b"\x10\0\0\0\0\0\0\0" + b'{"a":{"dtype":1}}', "not a PyTorch"),
    "picture": (lambda w: (w.work / "images/a.png").read_bytes(), "not a PyTorch"),
    "pickled-code": (_legacy_pickle, "code|not a PyTorch"),
    "zipped-code": (
        _rezipped(lambda n, c: pickle.dumps(_Code(), 2) if n.endswith("data.pkl") else c),
        "code|not a P",
    ),
    "code-beside-tensors": (_torch(lambda t, s: s | {"z": _Code()}), "code|not a PyTorch"),
    "pickle-0": (lambda w: b"cos\nsystem\n(S'touch CANARY'\ntR.", "code|not a PyTorch"),
    "pickle-endless": (lambda w: b"\x80\x02" + b"(" * 1_000_000, "not a PyTorch"),
    "pickle-bomb": (lambda w: b"\x80\x02" + b"]q\0" + b"(h\0h\0e" * 5 + b".", "not a PyTorch|no state dict"),
    "script": (_script, "TorchScript"),
    "whole-network": (_torch(lambda t, s: t.nn.Linear(2, 2)), "code|pickled"),
    "cut": (lambda w: _good(w)[: len(_good(w)) // 2], "not a PyTorch"),
    "cut-near-the-end": (lambda w: _good(w)[:-20], "not a PyTorch"),
    "a-member-missing": (_rezipped(lambda n, c: None if n.endswith("/data/0") else c), "not a PyTorch"),
    "a-member-short": (_rezipped(lambda n, c: c[:2] if "/data/" in n else c), "not a PyTorch"),
    "no-members": (_rezipped(lambda n, c: None), "not a PyTorch"),
    "storage-bomb": (_rezipped(_big_bomb, zipfile.ZIP_DEFLATED), "not a PyTorch|unpack"),
    "not-a-dictionary": (_torch(lambda t, s: t.zeros(3)), "no state dict"),
    "list": (_torch(lambda t, s: list(s.values())), "no state dict"),
    "none": (_torch(lambda t, s: None), "no state dict"),
    "no-keys": (_torch(lambda t, s: {}), "no state dict"),
    "two-states": (_torch(lambda t, s: {"a": s, "b": dict(s)}), "2 state dicts"),
    "number-keys": (_torch(lambda t, s: {1: s["gain"], 2: s["bias"]}), "no state dict"),
    "numbers": (_torch(lambda t, s: {"gain": 4.0, "bias": 0.0}), "no state dict"),
    "key-missing": (_torch(lambda t, s: {"bias": s["bias"]}), "1 missing .gain"),
    "key-unexpected": (_torch(lambda t, s: s | {"extra": t.zeros(2, 2)}), "1 unexpected .extra"),
    "key-escape": (_torch(lambda t, s: s | {"\x1b[31m\nx": t.zeros(2, 2)}), "1 unexpected"),
    "key-endless": (_torch(lambda t, s: s | {"k" * 100_000: t.zeros(2, 2)}), "1 unexpected"),
    "10000-keys": (_torch(lambda t, s: s | {f"k{i}": s["gain"] for i in range(10_000)}), "10000 unexpected"),
    "other-shape": (_torch(lambda t, s: s | {"bias": t.zeros(1, 4, 1, 1)}), "bias 1x4x1x1 in the file"),
    "another-network": (_torch(lambda t, s: t.nn.Conv2d(3, 3, 3).state_dict()), "1 missing .gain"),
    "not-a-number": (_torch(lambda t, s: s | {"gain": t.tensor(float("nan"))}), FINITE),
    "infinite": (_torch(lambda t, s: s | {"gain": t.tensor(float("inf"))}), FINITE),
    "half-infinite": (_torch(lambda t, s: s | {"gain": t.tensor(float("-inf")).half()}), FINITE),
    "nan-in-one-place": (
        _torch(lambda t, s: s | {"bias": t.tensor([0, 0, float("nan")]).view(1, 3, 1, 1)}),
        FINITE,
    ),
    "parameter-nan": (_torch(_subclass), FINITE),
    "double-too-large": (_torch(lambda t, s: s | {"gain": t.tensor(1e300, dtype=t.float64)}), FINITE),
    "complex": (_torch(lambda t, s: {k: v.to(t.complex64) for k, v in s.items()}), "complex|real"),
    "whole-numbers": (_torch(lambda t, s: {k: v.long() for k, v in s.items()}), "int64|floating|whole"),
    "booleans": (_torch(lambda t, s: {k: v.bool() for k, v in s.items()}), "bool|floating"),
    "meta": (_torch(lambda t, s: {k: v.to("meta") for k, v in s.items()}), "meta|no values"),
    "sparse": (_torch(lambda t, s: s | {"bias": s["bias"].to_sparse()}), DENSE),
    "sparse-rows": (_torch(lambda t, s: s | {"bias": t.eye(3).to_sparse_csr()}), DENSE + "|shape"),
    "sparse-lying": (
        _torch(
            lambda t, s: (
                s | {"bias": t.sparse_coo_tensor([[9**9]], [1.0], (9**9 + 1,), check_invariants=False)}
            )
        ),
        DENSE + "|shape",
    ),
    "quantised": (
        _torch(lambda t, s: s | {"bias": t.quantize_per_tensor(s["bias"], 0.1, 0, t.qint8)}),
        "quanti",
    ),
    "expanded-view": (
        _torch(lambda t, s: s | {"bias": t.zeros(1).expand(200_000, 1_000_000)}),
        "shape|GB|large|memory",
    ),
    "expanded-view-in-half-precision": (
        _torch(lambda t, s: s | {"bias": t.zeros(1).half().expand(200_000, 1_000_000)}),
        "shape|GB|large|memory",
    ),
    "expanded-view-of-an-extra": (
        _torch(lambda t, s: {"model": s, "extra": {"x": t.zeros(1, 1).expand(10**6, 10**6)}}),
        "state dicts|shape",
    ),
    "itself": (_torch(_itself), "no state dict|itself"),
    "nested-300-deep": (_torch(_deep), "no state dict"),
    "optimiser-only": (
        _torch(lambda t, s: {"optimizer": {"state": {}, "param_groups": []}}),
        "no state dict",
    ),
    "nested-tensor": (
        _torch(lambda t, s: s | {"bias": t.nested.nested_tensor([t.zeros(2), t.zeros(3)])}),
        "nested|code|shape|not a P",
    ),
    "eight-bit-floats": (_torch(lambda t, s: s | {"bias": s["bias"].to(t.float8_e4m3fn)}), "^$|float8"),
    "ordered-nan": (_torch(lambda t, s: OrderedDict(s, gain=t.tensor(float("nan")))), FINITE),
    "old-format-nan": (
        _torch(lambda t, s: s | {"gain": t.tensor(float("nan"))}, _use_new_zipfile_serialization=False),
        FINITE,
    ),
}
# taken as they are: nothing is wrong with the values
TAKEN = {"eight-bit-floats", "whole-numbers", "booleans"}
H5 = {
    "text": lambda w: b"weights\n",
    "empty": lambda w: b"",
    "signature-only": lambda w: b"\x89HDF\r\n\x1a\n",
    "signature-and-zeros": lambda w: b"\x89HDF\r\n\x1a\n" + bytes(4096),
}


def _file(content: Callable[[World], bytes], name: str = "bad.pth") -> Build:
    def build(world: World) -> None:
        world.write(name, content(world))

    return build


def _recorded(content: Callable[[World], bytes]) -> Build:
    """The record's own weights are replaced by others, with the digest of those."""

    def build(world: World) -> None:
        import hashlib

        bad = content(world)
        world.write("net.pth", bad)
        path = world.record("net") / "run.json"
        record = json.loads(path.read_text())
        record["weights_sha256"] = hashlib.sha256(bad).hexdigest()
        path.write_text(json.dumps(record))

    return build


CASES = [
    *(
        Case(
            f"weights/{what}",
            (*RUN, "bad.pth"),
            says=f"bad\\.pth.*({says})" if what not in TAKEN else "",
            build=_file(content),
            code=(0, 2) if what in TAKEN else 2,
            megabytes=1200,
            changes=("work/maps/n*", "work/reports/*") if what in TAKEN else (),
        )
        for what, (content, says) in FILES.items()
    ),
    *(
        Case(f"weights/keras-{what}", (*RUN, "bad.h5"), says="bad\\.h5", build=_file(content, "bad.h5"))
        for what, content in H5.items()
    ),
    *(
        Case(
            f"weights/predict-{what}",
            (
                "predict",
                "net.py:create",
                "--images",
                "images",
                "--out",
                "out",
                "--quiet",
                "--weights",
                "bad.pth",
            ),
            says="bad\\.pth",
            build=_file(FILES[what][0]),
        )
        for what in ("pickled-code", "not-a-number", "complex", "meta", "itself")
    ),
    *(
        Case(
            f"weights/bench-{what}",
            ("bench", "net.py:create", "--seconds", "0.1", "--forms", "fp32", "--weights", "bad.pth"),
            says="bad\\.pth",
            build=_file(FILES[what][0]),
            talks=True,
        )
        for what in ("zipped-code", "not-a-number", "expanded-view")
    ),
    *(
        Case(
            f"weights/check-{what}",
            ("baselines", "check", "net.py:create", "--weights", "bad.pth"),
            code=(1, 2),
            says="bad\\.pth|^$",
            build=_file(FILES[what][0]),
        )
        for what in ("zipped-code", "not-a-number", "key-missing")
    ),
    *(
        Case(
            f"weights/fetch-{what}",
            ("baselines", "fetch", "basnet", "--quiet", "--from", "bad.pth"),
            says="bad\\.pth|basnet\\.pth",
            build=_file(FILES[what][0]),
            changes=("home/weights",),
        )
        for what in ("html", "zipped-code", "key-missing", "itself")
    ),
    *(
        Case(
            f"weights/record-{what}",
            ("reproduce", "reports/runs/net/sod", "--quiet", "--trust"),
            says="net\\.pth",
            build=_recorded(FILES[what][0]),
        )
        for what in ("pickled-code", "not-a-number", "html")
    ),
    *(
        Case(
            f"weights/resume-{what}",
            (
                "train",
                "net.py:create",
                "--out",
                "trained",
                "--resume",
                "--set",
                "training.dataset=sod",
                "--set",
                "training.iterations=2",
                "--set",
                "training.batch=1",
                "--set",
                "training.lr=0.1",
                "--workers",
                "0",
                "--device",
                "cpu",
                "--quiet",
            ),
            says="last\\.pt",
            build=_file(FILES[what][0], "trained/last.pt"),
            changes=("work/trained/*",),
        )
        for what in ("empty", "zipped-code", "not-a-dictionary", "key-missing", "itself")
    ),
]
