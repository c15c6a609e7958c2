"""Suites: files that do not fit, methods and data sets that are not there, trainings that diverge."""

from .case import Build, Case
from .world import World

HEAD = 'title = "Own"\ndatasets = ["sod"]\nprotocols = ["raw"]\nmetrics = ["MAE"]\n'
MAPS = '[[methods]]\nname = "DSS"\nmaps = "maps/DSS"\n'
TINY = (
    'title = "Tiny"\nnetwork = "unet"\noptions = { width = 16 }\n[input]\nheight = 32\nwidth = 32\n'
    '[training]\ndataset = "sod"\niterations = 2\nbatch = 2\nlr = 1e30\nresize = 32\n'
)
RUN = ("suite", "run", "own", "--data-root", "../data", "--device", "cpu", "--loaders", "0", "--quiet")
MADE = ("work/reports/*", "work/maps/*", "work/training/*", "home/*")


def _suite(text: str, **files: str) -> Build:
    def build(world: World) -> None:
        world.write("suites/own.toml", text)
        for name, content in files.items():
            world.write(f"{name}.toml", content)

    return build


def _refused(name: str, text: str, says: str, *, action: str = "run") -> Case:
    command = RUN if action == "run" else ("suite", action, "own", "--data-root", "../data")
    return Case(f"suites/{name}", command, says=rf"suites/own\.toml.*{says}", build=_suite(text))


CASES = [
    _refused("empty", "", "title: missing"),
    _refused("without-methods", HEAD, "methods: missing"),
    _refused("no-methods", HEAD + "methods = []\n", "methods: expected at least one", action="plan"),
    _refused("methods-of-text", HEAD + 'methods = ["DSS"]\n', r"methods\[0\]: expected a table"),
    _refused(
        "methods-a-table", HEAD + "[methods]\nmaps = 'maps/DSS'\n", "methods: expected a list of tables"
    ),
    _refused("no-data-sets", HEAD.replace('"sod"', "") + MAPS, "datasets: expected at least one"),
    _refused("two-of-one-name", HEAD + MAPS + MAPS, "two cells of one name: method DSS", action="report"),
    _refused(
        "data-set-twice",
        HEAD.replace('"sod"', '"sod", "SOD"') + MAPS.replace("DSS", "{dataset}"),
        "two cells of one name: data set",
    ),
    _refused(
        "unknown-names",
        HEAD.replace("sod", "sodd") + MAPS + '[[methods]]\nbaseline = "basnett"\n',
        "unknown data set 'sodd'.*unknown baseline 'basnett'.*did you mean 'basnet'",
        action="status",
    ),
    _refused("unknown-protocol", HEAD.replace("raw", "raww") + MAPS, "raww"),
    _refused("unknown-metric", HEAD.replace("MAE", "MAEE") + MAPS, "unknown metric 'MAEE'"),
    _refused("neither", HEAD + '[[methods]]\nname = "x"\n', "either baseline or maps, neither"),
    _refused("both", HEAD + MAPS + 'baseline = "basnet"\n', "either baseline or maps, both"),
    _refused("maps-trained", HEAD + MAPS + "train = true\n", "maps are scored as they are"),
    _refused(
        "train-of-text", HEAD + '[[methods]]\nbaseline = "unet"\ntrain = "yes"\n', "train: expected a table"
    ),
    _refused("no-processes", HEAD + MAPS + "[train]\nprocesses = 0\n", "processes: expected 1 to 64"),
    _refused("name-escapes", HEAD + MAPS.replace('"DSS"', '"\\u0000"'), "expected text"),
    _refused("name-too-long", HEAD + MAPS.replace('"DSS"', f'"{"x" * 300}"'), "choose a shorter one"),
    _refused(
        "seed-negative",
        HEAD + '[train]\nseeds = [-1]\n[[methods]]\nbaseline = "basnet"\ntrain = true\n',
        r"train\.seeds\[0\]: expected 0 or more",
    ),
    _refused(
        "seed-twice",
        HEAD + '[train]\nseeds = [1, 1]\n[[methods]]\nbaseline = "basnet"\ntrain = true\n',
        "two cells of one name: method basnet-seed1",
    ),
    _refused(
        "recipe",
        HEAD + '[[methods]]\nbaseline = "basnet"\ntrain.settings.batch = 0\n',
        "training.batch: expected 1 or more",
    ),
    _refused("file-not-there", HEAD + '[[methods]]\nbaseline = "none.toml"\n', "none.toml: no such baseline"),
    Case("suites/unknown", ("suite", "plan", "quik"), says="unknown suite 'quik'.*did you mean 'quick'"),
    Case("suites/no-file", ("suite", "run", "none.toml"), says="none.toml: no such suite file"),
    Case("suites/without-action", ("suite",), says="ACTION"),
    Case(
        "suites/shipped-name",
        ("suite", "run", "quick"),
        says="quick.toml: has the name of the shipped suite",
        build=lambda world: world.write("suites/quick.toml", HEAD + MAPS) and None,
    ),
    Case(
        "suites/list-with-a-broken-one",
        ("suite", "list"),
        code=0,
        says=r"own\.toml",
        prints="quick",
        build=_suite("title = 1\n"),
    ),
    Case(
        "suites/no-maps",
        RUN,
        code=1,
        says="Absent on sod: impossible: .*expected a folder of saliency maps",
        talks=True,
        build=_suite(HEAD + MAPS.replace("DSS", "Absent")),
    ),
    Case(
        "suites/code-is-not-run",
        RUN,
        code=1,
        says="own on sod: impossible: .*--trust",
        never="code ran",
        talks=True,
        build=_suite(HEAD + '[[methods]]\nname = "own"\nbaseline = "net.py:create"\n'),
    ),
    Case(
        "suites/diverges",
        RUN,
        code=1,
        says="training of tiny-seed0: failed: the loss is nan",
        prints="DSS +sod",
        talks=True,
        changes=MADE,
        build=_suite(HEAD + '[[methods]]\nbaseline = "tiny.toml"\ntrain = true\n' + MAPS, tiny=TINY),
    ),
    *(
        Case(
            f"suites/dask-{name}",
            (*RUN, *options),
            says=says,
            build=_suite(HEAD + MAPS),
        )
        for name, options, says in (
            (
                "address",
                ("--dask", "host:8786"),
                "'host:8786': expected local, or the address",
            ),
            ("port", ("--dask", "tcp://host:0"), "expected local, or the address of a scheduler"),
            ("empty", ("--dask", ""), "expected local, or the address of a scheduler"),
            ("nobody", ("--dask", "tcp://127.0.0.1:9"), "no Dask scheduler answers there within 10 seconds"),
            ("and-shard", ("--dask", "local", "--shard", "1/2"), "leave --shard out"),
            ("shards-0", ("--dask", "local", "--shards", "0"), "--shards.*1 or more"),
            ("shards-alone", ("--shards", "2"), "--shards: it is for --dask"),
        )
    ),
    Case(
        "suites/reports-is-a-file",
        (*RUN, "--reports", "net.py"),
        code=(1, 2),
        says="net.py",
        talks=True,
        build=_suite(HEAD + MAPS),
    ),
    Case(
        "suites/nothing-to-report",
        ("suite", "report", "own", "--data-root", "../data", "--reports", "none"),
        says="no cell of this suite is done",
        build=_suite(HEAD + MAPS),
    ),
]
