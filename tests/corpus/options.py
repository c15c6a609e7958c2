"""Options: numbers that are negative, zero, not finite, huge or no numbers; unknown and repeated names."""

from .case import Case
from .good import NET, TRAINING

SCORE = ("score", "maps/DSS", "--dataset", "sod", "--quiet", "--name", "n")
RUN = ("run", *NET, "--datasets", "sod", "--quiet", "--name", "n")
PREDICT = ("predict", *NET, "--images", "images", "--out", "out", "--quiet")
BENCH = ("bench", "net.py:create", "--device", "cpu", "--forms", "fp32")
SWEEP = ("bench", "sweep", *NET, "--datasets", "sod", "--rounds", "1")
STRESS = ("stress", *NET, "--datasets", "sod", "--quiet")
TRAIN = ("train", "net.py:create", *TRAINING, "--out", "trained")
REPRODUCE = ("reproduce", "reports/runs/DSS/sod", "--quiet")
COMPARE = ("compare", "DSS", "Other")
EXPLAIN = ("protocols", "explain", "maps/DSS", "--dataset", "sod", "--quiet", "--published")

# the command with the option last -> bad values; the error names the option's word
NUMBERS: tuple[tuple[str, tuple[str, ...], str, tuple[str, ...]], ...] = (
    ("run-limit", (*RUN, "--limit"), "limit", ("0", "-1", "1.5", "nan", "many", "")),
    ("run-batch", (*RUN, "--batch"), "batch", ("0", "-4", "1e3", "x")),
    ("run-workers", (*RUN, "--scoring-workers"), "workers", ("0", "-1", "99999999999999999999", "2.0")),
    ("score-workers", (*SCORE, "--scoring-workers"), "workers", ("0", "-3", "all")),
    ("predict-batch", (*PREDICT, "--batch"), "batch", ("0", "-1", "inf")),
    ("bench-batch", (*BENCH, "--batch"), "batch", ("0", "-1", "half", "9" * 20)),
    ("bench-seconds", (*BENCH, "--seconds"), "seconds", ("0", "-1", "nan", "inf", "soon")),
    ("bench-threads", (*BENCH, "--threads"), "threads", ("0", "-1", "1.5", "9" * 20)),
    ("bench-size", (*BENCH, "--size", "64"), "size", ("0", "-64", "big", "9" * 20)),
    ("bench-sweep-sizes", (*SWEEP, "--sizes", "32"), "size", ("0", "-64", "31", "1.5", "big", "", "9" * 20)),
    ("bench-sweep-rounds", (*SWEEP, "--sizes", "32", "--rounds"), "rounds", ("0", "-1", "nan", "1001")),
    ("bench-sweep-limit", (*SWEEP, "--sizes", "32", "--limit"), "limit", ("0", "-1", "few")),
    ("bench-sweep-threads", (*SWEEP, "--sizes", "32", "--threads"), "threads", ("0", "x", "9" * 20)),
    (
        "stress-severities",
        (*STRESS, "--severities", "1"),
        "severit",
        ("0", "6", "-1", "1.5", "mild", "", "9" * 20),
    ),
    ("stress-limit", (*STRESS, "--limit"), "limit", ("0", "-1", "few")),
    ("stress-batch", (*STRESS, "--batch"), "batch", ("0", "-1", "x")),
    ("report-digits", ("report", "--digits"), "digits", ("0", "-1", "11", "three", "9" * 20)),
    ("report-span", ("report", "--layout", "wide", "--span"), "span", ("0", "3", "-1", "two", "")),
    ("report-gallery", ("report", "--gallery"), "gallery", ("-1", "x", "1.5")),
    ("compare-resamples", (*COMPARE, "--resamples"), "resamples", ("0", "99", "-5000", "x", "9" * 20)),
    ("compare-level", (*COMPARE, "--level"), "level", ("0", "1", "95", "nan", "-0.95", "inf", "high")),
    ("compare-seed", (*COMPARE, "--seed"), "seed", ("-1", "x", "1.5")),
    ("compare-images", (*COMPARE, "--most-different"), "most-different", ("-1", "x")),
    ("reproduce-tolerance", (*REPRODUCE, "--tolerance"), "tolerance", ("-1", "nan", "inf", "small")),
    ("train-workers", (*TRAIN, "--workers"), "workers", ("-1", "x", "9" * 20)),
    ("train-skip-bad", (*TRAIN, "--skip-bad"), "skip.bad", ("-1", "x")),
    (
        "check-tolerances",
        ("check", "--tolerances"),
        "tolerances",
        ("-1", "nan", "MAE=nan", "MAE=", "=1e-3=", "MAE=-1", "1e-4,", "inf", "MAE=inf"),
    ),
)

# complete command lines -> what the error says
LINES: dict[str, tuple[tuple[str, ...], str]] = {
    "no-command": ((), "required|command"),
    "unknown-command": (("evaluate",), "invalid choice: 'evaluate'"),
    "unknown-option": ((*SCORE, "--fast"), "unrecognized arguments: --fast"),
    "report-layout": (("report", "--layout", "long-and-wide"), "layout.*invalid choice"),
    "report-average-of-long": (("report", "--average"), "average: only the wide layout"),
    "report-ours-of-long": (("report", "--ours", "DSS"), "ours: only the wide layout"),
    "report-group-by": (("report", "--layout", "wide", "--group-by", "venue"), "group-by.*invalid choice"),
    "report-wide-attributes": (
        ("report", "--layout", "wide", "--attributes"),
        "attributes: only the long layout",
    ),
    "report-ours-unknown": (
        ("report", "--layout", "wide", "--ours", "DDS"),
        "unknown method 'DDS'.*did you mean 'DSS'",
    ),
    "option-without-value": (("report", "--digits"), "digits.*expected one argument"),
    "empty-argument": (("score", "", "--dataset", "sod"), "saliency maps|folder|empty"),
    "run-without-sets": (("run", "net.py:create"), "--datasets"),
    "run-no-baseline": (("run", "--datasets", "sod"), "baseline"),
    "run-unknown-baseline": (("run", "basnett", "--datasets", "sod"), "unknown baseline 'basnett'"),
    "run-empty-baseline": (("run", "", "--datasets", "sod"), "baseline"),
    "run-unknown-set": (("run", *NET, "--datasets", "sodd"), "unknown data set 'sodd'"),
    "run-empty-set": (("run", *NET, "--datasets", ""), "unknown data set ''"),
    "run-unknown-sets-together": (("run", *NET, "--datasets", "x1", "sod", "x2"), "'x1'.*'x2'"),
    "run-precision": ((*RUN, "--precision", "fp8"), "precision.*'fp8'"),
    "run-maps-and-no-maps": ((*RUN, "--maps", "m", "--no-maps"), "maps m: a folder for the maps"),
    "run-protocol": ((*RUN, "--protocols", "pysod"), "unknown protocol 'pysod'"),
    "run-protocol-empty": ((*RUN, "--protocols", ""), "unknown protocol ''|protocol"),
    "run-metric": ((*RUN, "--metrics", "Fmax"), "unknown metric 'Fmax'"),
    "run-metric-of-another-protocol": ((*RUN, "--metrics", "MAE@raw"), "MAE@raw"),
    "run-calibration-of-another-protocol": ((*RUN, "--metrics", "ECE@raw"), "ECE@raw.*not selected"),
    "run-calibration-misspelt": ((*RUN, "--metrics", "calibraton"), "did you mean 'calibration'"),
    "run-metric-undefined": ((*RUN, "--protocols", "salod", "--metrics", "relaxF"), "does not define relaxF"),
    "run-metric-only-at": ((*RUN, "--metrics", "@"), "metric"),
    "device-unknown": ((*RUN[:4], "--device", "gpu", *RUN[6:]), "device gpu"),
    "device-absent": ((*PREDICT, "--device", "cuda:99"), "device cuda:99"),
    "device-other-type": ((*PREDICT, "--device", "meta"), "device meta"),
    "device-mps": ((*PREDICT, "--device", "mps"), "device mps"),
    "device-negative": ((*PREDICT, "--device", "cuda:-1"), "device cuda:-1"),
    "bench-unknown-form": ((*BENCH[:-1], "fp64", "--seconds", "0.1"), "fp64"),
    "bench-small-size": ((*BENCH, "--size", "16", "16"), "--size.*16"),
    "bench-sweep-alone": (("bench", "sweep"), "required: baseline, --sizes, --datasets"),
    "bench-sweep-no-sizes": (SWEEP, "required: --sizes"),
    "bench-sweep-empty-sizes": ((*SWEEP, "--sizes"), "sizes.*expected at least one"),
    "bench-sweep-unknown-baseline": ((*SWEEP[:2], "nett", *SWEEP[3:], "--sizes", "32"), "'nett'"),
    "bench-sweep-two-baselines": ((*SWEEP[:3], "unet", *SWEEP[3:], "--sizes", "32"), "unrecognized.*unet"),
    "bench-sweep-unknown-sets": (
        (*SWEEP, "--sizes", "32", "--datasets", "x1", "sod", "x2"),
        "unknown data set 'x1'.*'x2'",
    ),
    "bench-sweep-protocol": ((*SWEEP, "--sizes", "32", "--protocol", "pysod"), "unknown protocol 'pysod'"),
    "bench-sweep-metric": ((*SWEEP, "--sizes", "32", "--metrics", "Fmax"), "unknown metric 'Fmax'"),
    "bench-sweep-device": ((*SWEEP, "--sizes", "32", "--device", "gpu"), "device gpu"),
    "bench-sweep-weights": ((*SWEEP, "--sizes", "32", "--weights", "no.pth"), "no.pth"),
    "bench-sweep-form": ((*SWEEP, "--sizes", "32", "--forms", "fp32"), "unrecognized arguments: --forms"),
    "stress-alone": (("stress",), "required: BASELINE, --datasets"),
    "stress-kind": ((*STRESS, "--kinds", "snw"), "unknown kind of corruption 'snw'.*'snow'"),
    "stress-kinds-together": ((*STRESS, "--kinds", "snw", "fog", "jpg"), "'snw'.*'jpg'.*'jpeg'"),
    "stress-frost": ((*STRESS, "--kinds", "frost"), "kind 'frost': left out.*photographs"),
    "stress-empty-kind": ((*STRESS, "--kinds", ""), "unknown kind of corruption ''"),
    "stress-set": (("stress", *NET, "--datasets", "sodd"), "unknown data set 'sodd'"),
    "stress-absent-set": (("stress", *NET, "--datasets", "duts-te", "--quiet"), "duts-te"),
    "stress-protocol": ((*STRESS, "--protocols", "pysod"), "unknown protocol 'pysod'"),
    "stress-metric": ((*STRESS, "--metrics", "Fmax"), "unknown metric 'Fmax'"),
    "stress-weights": ((*STRESS, "--weights", "no.pth"), "no.pth"),
    "stress-weights-of-two": (
        ("stress", "basnet-tiny", "unet", "--weights", "net.pth", "--datasets", "sod"),
        "--weights: one file, found 2 baselines.*--show",
    ),
    "stress-show-without-record": (("stress", "unet", "--datasets", "sod", "--show"), "no stress record"),
    "report-format": (("report", "--formats", "pdf"), "invalid choice: 'pdf'"),
    "report-method": (("report", "--methods", "DDS"), "unknown method 'DDS'"),
    "report-set": (("report", "--datasets", "ecsd"), "ecsd"),
    "report-metric": (("report", "--metrics", "maxG"), "maxG"),
    "report-metric-not-recorded": (("report", "--metrics", "ECE"), "unknown metric 'ECE'.*known: "),
    "report-figure-of-calibration": (("report", "--figures", "calibration"), "'calibration'.*reliability"),
    "report-protocol": (("report", "--protocols", "salval"), "salval"),
    "report-sort": (("report", "--sort", "speed"), "speed"),
    "report-published": (("report", "--published", "nobody2020"), "nobody2020"),
    "report-figure": (("report", "--figures", "pie"), "invalid choice: 'pie'"),
    "compare-one": (("compare", "DSS"), "two methods"),
    "compare-same": (("compare", "DSS", "DSS"), "two methods"),
    "compare-unknown": (("compare", "DSS", "Otter"), "unknown method 'Otter'"),
    "compare-no-common-set": (("compare", "DSS", "mine"), "no data set in common"),
    "compare-protocol": (("compare", "DSS", "Other", "--protocol", "raw"), "raw"),
    "compare-by": (("compare", "DSS", "Other", "--by", "beauty"), "beauty"),
    "compare-metric": (("compare", "DSS", "Other", "--metrics", "maxQ"), "maxQ"),
    "compare-metric-not-recorded": (("compare", "DSS", "Other", "--metrics", "Brier"), "'Brier'"),
    "show-unknown-run": (("show", "DDS", "3096"), "unknown method 'DDS'"),
    "show-unknown-image": (("show", "DSS", "9999"), "9999"),
    "show-set": (("show", "DSS", "3096", "--dataset", "ecssd"), "'ecssd'"),
    "show-out": (("show", "DSS", "3096", "--out", "sheet.jpeg"), "--out is sheet.jpeg"),
    "check-method": (("check", "--methods", "DDS"), "unknown method 'DDS'"),
    "check-metric": (("check", "--tolerances", "maxG=1"), "unknown metric 'maxG'"),
    "explain-percent": ((*EXPLAIN, "maxF=84.4"), "84.4.*0..1"),
    "explain-text": ((*EXPLAIN, "maxF=good"), "maxF=good"),
    "explain-nan": ((*EXPLAIN, "MAE=nan"), "MAE=nan"),
    "explain-negative": ((*EXPLAIN, "MAE=-.1"), "MAE=-.1"),
    "explain-metric": ((*EXPLAIN, "Q=.1"), "unknown metric 'Q'"),
    "protocols-show": (("protocols", "show", "rawr"), "unknown protocol 'rawr'"),
    "baselines-show": (("baselines", "show", "basnett"), "unknown baseline 'basnett'"),
    "baselines-check-none": (("baselines", "check"), "no baseline is named"),
    "baselines-check-size": (("baselines", "check", "net.py:create", "--size", "8", "8"), "--size.*8"),
    "baselines-fetch-two": (("baselines", "fetch", "basnet", "basnet-keras", "--from", "x"), "--from"),
    "baselines-fetch-file": (("baselines", "fetch", "basnet", "--from", "no.pth"), "no.pth"),
    "baselines-fetch-nothing": (("baselines", "fetch", "unheard"), "unknown baseline 'unheard'"),
    "datasets-show": (("datasets", "show", "sodd"), "unknown data set 'sodd'"),
    "datasets-show-plot": (("datasets", "show", "sod", "--plot", "plot.exe"), "plot.exe"),
    "datasets-fetch": (("datasets", "fetch", "sod", "sodd"), "unknown data set 'sodd'"),
    "datasets-verify": (("datasets", "verify", "sodd"), "unknown data set 'sodd'"),
    "datasets-verify-against": (("datasets", "verify", "sod", "--against", "sodd"), "'sodd'"),
    "datasets-verify-maps": (("datasets", "verify", "sod", "ecssd", "--maps", "maps/DSS"), "--maps"),
    "datasets-add-no-name": (("datasets", "add", "."), "--name"),
    "datasets-add-one-folder": (("datasets", "add", ".", "--name", "n", "--images", "images"), "--masks"),
    "train-unknown": (("train", "basnett"), "unknown baseline 'basnett'"),
    "train-no-recipe": (("train", "net.py:create"), "training\\.\\w+: missing"),
    "train-set-syntax": ((*TRAIN, "--set", "batch=1"), "--set batch=1"),
    "train-set-empty": ((*TRAIN, "--set", "="), "--set ="),
    "reproduce-nothing": (("reproduce", "reports"), "reports.*neither run.json nor training.json"),
    "reproduce-absent": (("reproduce", "nowhere/run.json"), "nowhere/run.json"),
    "reproduce-weights": (
        (*REPRODUCE[:1], "reports/runs/net/sod", "--trust", "--weights", "no.pth"),
        "no.pth",
    ),
    "reproduce-maps": ((*REPRODUCE, "--maps", "nowhere"), "nowhere"),
    "audit-nowhere": (("audit", "nowhere"), "nowhere"),
    "audit-option": (("audit", "--hard"), "unrecognized arguments: --hard"),
    **{
        f"shard-{what}-of-{command[0]}": ((*command, "--shard", shard), "shard.*NUMBER/COUNT.*3/16")
        for command in (SCORE, RUN)
        for what, shard in (
            ("zero", "0/4"),
            ("beyond", "5/4"),
            ("letters", "a/b"),
            ("alone", "3"),
            ("empty", ""),
            ("huge", "1/" + "9" * 20),
        )
    },
    "merge-nothing": (("merge",), "required: REPORTS"),
    "merge-nowhere": (("merge", "nowhere"), "nowhere"),
    "merge-a-file": (("merge", "net.py"), "net.py.*a file"),
    "merge-no-shards": (("merge", "reports"), "reports: no shards"),
    "merge-one-without-shards": (("merge", "reports", "maps"), "no shards"),
    "score-nothing-to-score-against": (("score", "own"), "--dataset"),
}

# keys of the recipe -> bad values
RECIPE: dict[str, tuple[str, ...]] = {
    "batch": ("0", "-1", "1.5", "'x'", "nan", "true"),
    "lr": ("0", "-1e-3", "nan", "inf", "'x'"),
    "iterations": ("0", "-5", "1e3", "9" * 5000),
    "resize": ("0", "[64]", "[64, -1]", "'big'", "[64, 64, 64]"),
    "crop": ("4096", "-1"),
    "betas": ("[0.9]", "[0.9, 1.0]", "[nan, 0.9]"),
    "clip": ("-1", "nan"),
    "ema": ("1.0", "-0.1"),
    "seed": ("-1", "'x'", "9" * 40),
    "rotation": ("181", "nan"),
    "loss": ("'focal'",),
    "loss_terms": ("[]", "['bce', 'dice']"),
    "loss_options": ("5", "{ unheard = 1 }"),
    "optimiser": ("'lion'",),
    "schedule": ("'step'",),
    "precision": ("'int8'",),
    "initialisation": ("'magic'", "''"),
    "accumulate": ("3", "0"),
    "dataset": ("[]", "5", "'unheard'"),
    "validate_every": ("1", "-1"),
    "validate_metric": ("'beauty'",),
    "unheard": ("1",),
}
GOOD_RECIPE = ("iterations=2", "batch=2", "lr=0.001", "resize=32")


def _training(key: str, value: str) -> tuple[str, ...]:
    more = ["dataset=sod"]
    if key == "validate_metric":
        more += ["validate_on=sod", "validate_every=1"]
    settings = [one for one in (*GOOD_RECIPE, *more) if not one.startswith(f"{key}=")]
    pairs = [f"training.{one}" for one in (*settings, f"{key}={value}")]
    return (
        "train",
        "net.py:create",
        "--workers",
        "0",
        "--device",
        "cpu",
        "--quiet",
        "--out",
        "trained",
        *(word for pair in pairs for word in ("--set", pair)),
    )


def _named(value: str) -> str:
    return "".join(c if c.isalnum() or c in "-+.=" else "_" for c in value[:14]) or "empty"


CASES = [
    *(
        # a file `training/` of refused settings is no partial output, but none is needed either
        Case(f"options/{name}={_named(value)}", (*command, value), says=word, talks=name.startswith("bench"))
        for name, command, word, values in NUMBERS
        for value in values
    ),
    *(
        Case(
            f"options/{name}",
            line,
            says=says,
            real=name in ("no-command", "unknown-command"),
            whole=name in ("no-command", "unknown-command"),
            talks=name.startswith("bench"),
            # the folder of weights is made before the file is looked for
            changes=("home/weights",) if name.startswith("baselines-fetch") else (),
        )
        for name, (line, says) in LINES.items()
    ),
    *(
        Case(
            f"recipe/{key}={_named(value)}",
            _training(key, value),
            says=key if "unheard" not in key + value else "unheard",
        )
        for key, values in RECIPE.items()
        for value in values
    ),
]
