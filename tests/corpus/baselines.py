"""Baselines' TOML files: values that are no network, input, output, weights or recipe."""

from .case import Build, Case
from .world import World

# the table -> key -> bad values, as TOML
TABLES: dict[str, dict[str, tuple[str, ...]]] = {
    "": {
        "title": ("5", "[]"),
        "network": (
            '"unheard"',
            "5",
            '""',
            '":"',
            '":create"',
            '"net:"',
            '"no.such.module:create"',
            '"nofile.py:create"',
            '"net.py:absent"',
            '"net.py:torch"',
            '"net.py:__doc__"',
            '"..:create"',
            '"net.py:create:create"',
            '"\\u0000:x"',
        ),
        "options": (
            "5",
            '"width"',
            "{ unheard = 1 }",
            "{ width = -1 }",
            '{ width = "x" }',
            "{ width = 0 }",
            "{ width = 1000000000 }",
            "{ width = nan }",
        ),
        "extends": ('"own"', '"unheard"', "5", '"../own"'),
        "published": ("5", '{ of = "unheard" }', "{ of = 5 }", '{ of = "own" }'),
        "training": ("5", "[1]"),
    },
    "input": {
        "height": ("0", "-1", '"x"', "1.5", "true"),
        "width": ("9999999999999",),
        "scaling": ('"min"', "255"),
        "mean": ("[0.5]", '["a", 0, 0]', "[nan, 0.5, 0.5]", "0.5"),
        "std": ("[0, 0, 0]", "[1, 1, -1]", "[inf, 1, 1]"),
        "resample": ('"nearest"', '"Lanczos"', '""', "3", "true", '["lanczos"]'),
        "fit": ('"crop"', '"longside"', "32", "false"),
        "antialias": ('"yes"', "1", "[true]"),
        "unheard": ("1",),
    },
    "output": {
        "kind": ('"sigmoid"', "1"),
        "stretch": ('"yes"', "0"),
        "gain": ("0", "-1", "nan", "inf"),
        "resample": ('"nearest"', '"bilinear-antialias"', "1"),
    },
    "inference": {
        "scales": ("[]", "[0]", "[-1.0]", "[nan]", '"1"', "[1e9]"),
        "cpu": ('"int8"',),
        "mirror": ("1",),
    },
    "weights": {
        "file": ("5", '""', '"../../../../etc/passwd"', '"/dev/zero"', '"."'),
        "size": ("0", "-1", '"big"'),
        "sha256": ('"abc"', "5", f'"{"g" * 64}"'),
        "url": ("5",),
    },
}
# settings that only loading the network can find wrong: tried by a run
RUN = {"file"}
SHOW = ("baselines", "show", "own")
BENCH = ("bench", "own", "--seconds", "0.1", "--forms", "fp32", "--device", "cpu")
JOB = ("run", "own", "--datasets", "sod", "--quiet", "--device", "cpu")


def _toml(table: str, key: str, value: str) -> Build:
    text = "".join(
        f"{name} = {default}\n"
        for name, default in (("title", '"Own"'), ("network", '"unet"'))
        if name != key
    )
    line = f"{key} = {value}\n"

    def build(world: World) -> None:
        world.write("baselines/own.toml", f"{text}[{table}]\n{line}" if table else f"{text}{line}")

    return build


def _cases() -> list[Case]:
    cases = []
    for table, keys in TABLES.items():
        for key, values in keys.items():
            for number, value in enumerate(values):
                what = "".join(c for c in value if c.isalnum() or c in "-.:")[:14] or "empty"
                name = f"baselines/{table}{'.' * bool(table)}{key}={what}-{number}"
                run = JOB if key in RUN or (key == "network" and ":" in value) else SHOW
                run = BENCH if key in ("options", "width", "scales") else run
                word = {
                    "options": "options|width|unheard|unet|memory",
                    "file": "weights|passwd|zero|own",
                }.get(key, key)
                says = f"own.*({word})" if key != "network" or ":" not in value else "own"
                cases.append(
                    Case(
                        name,
                        run,
                        says=says,
                        build=_toml(table, key, value),
                        megabytes=1200,
                        talks=run == BENCH,
                    )
                )
    return cases


def _shadow(name: str, content: str = 'title = "Mine"\nnetwork = "unet"\n') -> Build:
    def build(world: World) -> None:
        world.write(f"baselines/{name}.toml", content)

    return build


CASES = [
    *_cases(),
    Case(
        "baselines/fixed-with-scales",
        SHOW,
        says="own.toml: inference.scales",
        build=_shadow(
            "own", 'title = "O"\nnetwork = "unet"\n[input]\nfixed = true\n[inference]\nscales = [0.5, 1.0]\n'
        ),
    ),
    Case(
        "baselines/fixed-with-long-side",
        SHOW,
        says="own.toml: input.fit.*'stretch' or 'pad'.*input.fixed",
        build=_shadow("own", 'title = "O"\nnetwork = "unet"\n[input]\nfixed = true\nfit = "long-side"\n'),
    ),
    Case(
        "baselines/fixed-in-a-sweep",
        ("bench", "sweep", "own", "--sizes", "32", "64", "--datasets", "sod", "--device", "cpu"),
        says="own: takes inputs of 256 x 256 only .input.fixed",
        build=_shadow("own", 'title = "O"\nnetwork = "unet"\n[input]\nfixed = true\n'),
    ),
    Case(
        "baselines/resample-under-both-names",
        SHOW,
        says="own.toml: input.antialias is the former name of input.resample",
        build=_shadow(
            "own", 'title = "O"\nnetwork = "unet"\n[input]\nantialias = true\nresample = "lanczos"\n'
        ),
    ),
    Case(
        "baselines/former-antialias",
        SHOW,
        code=0,
        says='note: .*own.toml: input.antialias is now called input.resample = "bilinear-antialias"',
        build=_shadow("own", 'title = "O"\nnetwork = "unet"\n[input]\nantialias = true\n'),
    ),
    Case(
        "baselines/extends-in-a-ring",
        SHOW,
        says="extends",
        build=lambda w: [_shadow("own", 'extends = "other"\n')(w), _shadow("other", 'extends = "own"\n')(w)],
    ),
    Case(
        "baselines/extends-2000-deep",
        SHOW,
        says="extends|deep|baselines",
        build=lambda w: (
            [_shadow(f"b{i}", f'extends = "b{i + 1}"\n')(w) for i in range(2000)]
            + [_shadow("own", 'extends = "b0"\n')(w), _shadow("b2000")(w)]
        ),
        code=(0, 2),
        whole=True,
    ),
    Case(
        "baselines/no-title",
        SHOW,
        says="own.toml: title: missing",
        build=_shadow("own", 'network = "unet"\n'),
    ),
    Case(
        "baselines/no-network", SHOW, says="own.toml: network: missing", build=_shadow("own", 'title = "O"\n')
    ),
    # a user's file under a shipped name: refused where it is used, said where it is listed
    Case(
        "baselines/shadows-a-shipped-one",
        ("run", "basnet-tiny", "--datasets", "sod", "--quiet"),
        says="basnet-tiny.toml",
        build=_shadow("basnet-tiny"),
    ),
    Case(
        "baselines/shadows-in-show",
        ("baselines", "show", "basnet-tiny"),
        says="basnet-tiny.toml",
        build=_shadow("basnet-tiny"),
    ),
    Case(
        "baselines/shadows-in-predict",
        ("predict", "basnet-tiny", "--images", "images", "--out", "out"),
        says="basnet-tiny.toml",
        build=_shadow("basnet-tiny"),
    ),
    Case(
        "baselines/shadows-in-list",
        ("baselines", "list"),
        code=0,
        says="basnet-tiny.toml",
        prints="basnet-tiny",
        build=_shadow("basnet-tiny"),
    ),
    Case(
        "baselines/shadows-another-case",
        ("run", "Basnet-Tiny", "--datasets", "sod", "--quiet"),
        says="Basnet-Tiny",
        build=_shadow("Basnet-Tiny"),
    ),
    Case(
        "baselines/no-weights",
        ("run", "own", "--datasets", "sod", "--quiet"),
        says="own: weights not found",
        build=_shadow("own"),
    ),
    Case(
        "baselines/u2net-of-no-size",
        BENCH,
        says="small: expected true or false, found str",
        build=_shadow("own", 'title = "O"\nnetwork = "u2net"\n[options]\nsmall = "no"\n'),
        talks=True,
    ),
    *(
        Case(
            f"baselines/{name}-with-weights-of-another-network",
            ("run", name, "--weights", "net.pth", "--datasets", "sod", "--quiet"),
            says=f"net.pth \\(for {name}\\): not weights of this network",
            megabytes=1200,
        )
        for name in ("u2netp", "isnet")
    ),
    Case(
        "baselines/random-weights",
        ("run", "net2.py:create", "--datasets", "sod", "--quiet"),
        says="random",
        build=lambda w: w.write(
            "net2.py", (w.work / "net.py").read_text().replace("torch.tensor(4.0)", "torch.rand(())")
        ),
    ),
]
