"""Protocols: values that are no convention, names that are taken, two of one name."""

from .case import Build, Case
from .world import World

# key -> bad values, as TOML
VALUES: dict[str, tuple[str, ...]] = {
    "name": ('""', '"a@b"', "5", '"a\\nb"', '"\\u001B[31m"', '" "'),
    "version": ("0", "-1", "1.5", '"1"', "true"),
    "families": ("[]", '["MAE", "G"]', '"MAE"', "[1]"),
    "size_mismatch": ('"crop"', "true"),
    "mask_threshold": ("nan", "inf", "-inf", "-1", "256", '"half"', "[128]"),
    "mask_scale": ('"min-max"', "255"),
    "mask_comparator": ('"<"',),
    "mae_scale": ('"1"', "255"),
    "f_beta2": ("-1", "0", "nan", "inf", '"0.3"', "true", "1e400"),
    "f_average": ('"median"',),
    "f_adaptive": ("1", '"yes"'),
    "f_left_out": ('["all"]', '"empty-mask"', "false"),
    "levels": ("0", "100", "256.0", "true"),
    "quantise": ('"floor"',),
    "precision_epsilon": ("-1e-8", "nan", "inf"),
    "e_epsilon": ("-1", "nan"),
    "e_denominator": ('"N-2"',),
    "s_alpha": ("99", "-0.1", "1.0001", "nan", '"half"'),
    "s_object_ddof": ("2", "-1", "true", "1.0"),
    "s_epsilon": ("-1", "inf"),
    "wf_beta2": ("0", "-1", "nan"),
    "boundary_radius": ("0", "4", "-1", "1.5", "9999999999999999999999"),
    "boundary_window": ('"circle"',),
    "boundary_beta2": ("0", "nan"),
    "empty_mask": ('"skip"',),
    "scale_epsilon": ("-1", "nan"),
    "based_on": ('"own"', '"unheard"', "5", '["raw"]', '"../raw"', '"own.toml"'),
}
SHOW = ("protocols", "show", "own.toml")
SCORE = ("score", "maps/DSS", "--dataset", "sod", "--name", "n", "--quiet", "--protocols")
SHOWN = 12  # characters of a value in the name of its case


def _own(content: str, path: str = "own.toml") -> Build:
    def build(world: World) -> None:
        world.write(path, content)

    return build


def _files(**contents: str) -> Build:
    def build(world: World) -> None:
        for name, content in contents.items():
            world.write(f"{name}.toml", content)

    return build


def _values() -> list[Case]:
    cases = []
    for key, values in VALUES.items():
        for number, value in enumerate(values):
            text = f"{key} = {value}\n" if key == "based_on" else f'based_on = "raw"\n{key} = {value}\n'
            what = "".join(c for c in value if c.isalnum() or c in "-.")[:SHOWN] or "empty"
            cases.append(
                Case(f"protocols/{key}={what}-{number}", SHOW, says=f"own\\.toml.*{key}", build=_own(text))
            )
    return cases


def _in_library() -> None:
    import sodbench as sb

    sb.Protocol(name="pysodmetrics", f_beta2=1.0)
    sb.score_maps("maps/DSS", "sod", name="n", protocols=[sb.Protocol(name="pysodmetrics", f_beta2=1.0)])


def _two_in_library() -> None:
    import sodbench as sb

    own = [sb.Protocol(name="own", f_beta2=value) for value in (0.3, 1.0)]
    sb.score_maps("maps/DSS", "sod", name="n", protocols=own)


OTHER_BASNET = 'based_on = "basnet2019"\nname = "basnet2019"\nf_beta2 = 1.0\n'
CASES = [
    *_values(),
    # the name of a shipped protocol with other fields, by its key and by the file's own name
    Case("protocols/reserved-name", (*SCORE, "own.toml"), says="basnet2019", build=_own(OTHER_BASNET)),
    Case(
        "protocols/reserved-file-name",
        (*SCORE, "basnet2019.toml"),
        says="basnet2019",
        build=_own('based_on = "raw"\nname = "basnet2019"\n', "basnet2019.toml"),
    ),
    Case(
        "protocols/reserved-default-name",
        (*SCORE, "own.toml"),
        says="pysodmetrics",
        build=_own('based_on = "raw"\nname = "pysodmetrics"\n'),
    ),
    Case("protocols/reserved-in-show", SHOW, says="basnet2019", build=_own(OTHER_BASNET)),
    Case(
        "protocols/reserved-in-compare",
        ("protocols", "compare", "maps/DSS", "--dataset", "sod", "--quiet", "--protocols", "own.toml"),
        says="basnet2019",
        build=_own(OTHER_BASNET),
    ),
    Case(
        "protocols/reserved-in-explain",
        (
            "protocols",
            "explain",
            "maps/DSS",
            "--dataset",
            "sod",
            "--quiet",
            "--published",
            "MAE=.1",
            "--protocols",
            "own.toml",
        ),
        says="basnet2019",
        build=_own(OTHER_BASNET),
    ),
    Case(
        "protocols/reserved-in-run",
        (
            "run",
            "net.py:create",
            "--weights",
            "net.pth",
            "--datasets",
            "sod",
            "--name",
            "n",
            "--quiet",
            "--protocols",
            "own.toml",
        ),
        says="basnet2019",
        build=_own(OTHER_BASNET),
    ),
    Case(
        "protocols/reserved-version",
        (*SCORE, "own.toml"),
        says="basnet2019",
        build=_own('based_on = "basnet2019"\nname = "basnet2019"\nversion = 99\nf_beta2 = 1.0\n'),
    ),
    Case("protocols/reserved-in-the-library", _in_library, says="pysodmetrics"),
    # a copy of a shipped protocol is that protocol
    Case(
        "protocols/equal-copy-is-taken",
        (*SCORE, "own.toml"),
        code=0,
        changes=("work/reports/*",),
        build=_own('based_on = "basnet2019"\nname = "basnet2019"\n'),
    ),
    # a protocol whose name takes its parent's, as `based_on` alone leaves it
    Case(
        "protocols/based-on-alone",
        SHOW,
        code=(0, 2),
        says="own|^$",
        never="basnet2019 \\(version",
        build=_own('based_on = "basnet2019"\nf_beta2 = 1.0\n'),
    ),
    *(
        Case(
            f"protocols/two-of-one-name-in-{what}",
            (*run, "one.toml", "two.toml"),
            says="own|one|two",
            build=_files(
                one='based_on = "raw"\nname = "own"\n', two='based_on = "raw"\nname = "own"\nf_beta2 = 1.0\n'
            ),
        )
        for what, run in {
            "score": SCORE,
            "run": (
                "run",
                "net.py:create",
                "--weights",
                "net.pth",
                "--datasets",
                "sod",
                "--name",
                "n",
                "--quiet",
                "--protocols",
            ),
            "compare": ("protocols", "compare", "maps/DSS", "--dataset", "sod", "--quiet", "--protocols"),
            "explain": (
                "protocols",
                "explain",
                "maps/DSS",
                "--dataset",
                "sod",
                "--quiet",
                "--published",
                "maxF=.5",
                "--protocols",
            ),
        }.items()
    ),
    Case("protocols/two-of-one-name-in-the-library", _two_in_library, says="own"),
    Case(
        "protocols/two-that-differ-in-case",
        (*SCORE, "one.toml", "two.toml"),
        code=(0, 2),
        build=_files(
            one='based_on = "raw"\nname = "own"\n', two='based_on = "raw"\nname = "Own"\nf_beta2 = 1.0\n'
        ),
        changes=("work/reports/*",),
    ),
    Case(
        "protocols/compare-with-another-set-of-names",
        (
            "protocols",
            "compare",
            "maps/DSS",
            "--dataset",
            "sod",
            "--quiet",
            "--metrics",
            "relaxF",
            "--protocols",
            "salod",
        ),
        says="none of the protocols",
    ),
    Case("protocols/shown-by-a-path-without-suffix", ("protocols", "show", "./own"), says="./own"),
]
