"""All cases by name."""

import hashlib
import importlib

from .case import Case
from .good import GOOD

# the modules that declare cases in `CASES`
MODULES = (
    "options",
    "names",
    "folders",
    "pictures",
    "orientation",
    "pairs",
    "trees",
    "interrupted",
    "toml_files",
    "protocols",
    "baselines",
    "cards",
    "suites",
    "json_files",
    "audits",
    "stored_runs",
    "shards",
    "attributes",
    "further_protocols",
    "publishing",
    "weights",
    "onnx_files",
    "safetensors_files",
    "transformers_folders",
    "archives",
    "downloads",
    "arguments",
    "code",
    "surroundings",
)


def all_cases() -> dict[str, Case]:
    """Every case, in the order of the modules; two cases of one name are an error."""
    cases: dict[str, Case] = {}
    for module in MODULES:
        for case in importlib.import_module(f".{module}", __package__).CASES:
            if case.name in cases:
                raise ValueError(f"two cases are named {case.name}")
            cases[case.name] = case
    return cases


# one case in so many is part of every test run, chosen by the digest of its name
SHARE = 11


def is_fast(case: Case) -> bool:
    """Whether a case is part of every test run: a share of those that are not slow, always the same."""
    return not case.whole and hashlib.sha256(case.name.encode()).digest()[0] % SHARE == 0


def chosen(patterns: list[str], fast: bool = False) -> dict[str, Case]:
    """The cases whose names contain one of the patterns (all without), those of the fast part alone."""
    return {
        name: case
        for name, case in all_cases().items()
        if (not patterns or any(one in name for one in patterns)) and (is_fast(case) or not fast)
    }


# an expectation that is wrong on purpose: it shows that the judge sees what differs
JUDGE = Case(
    "judge/wrong-on-purpose",
    ("score", "maps/DSS", "--dataset", "sod", "--name", "Table", "--quiet"),
    says="no such words",
    never="Table",
)


def others() -> dict[str, Case]:
    """The cases that are no bad input: the good ones, and the judge's own."""
    return {case.name: case for case in (*GOOD, JUDGE)}
