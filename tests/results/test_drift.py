"""The drift check: what drifted, why, and how it is reported to people and machines."""

import json
import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from results.stand_in import run
from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.reporting import drift_formats
from sodbench.results.drift import check, likely_causes
from sodbench.results.reference import Reference, entry_of, read_reference, updated, write_reference
from sodbench.results.saving import save_run


def reference_of(*runs, **tolerances: float) -> Reference:
    return updated(Reference(tolerances={"default": 1e-6, **tolerances}), runs, keep_missing=False)


def moved(by: float = 0.01, metric: str = "MAE", **changes):
    """The stand-in run with one planted change."""
    made = run()
    made.tables["pysodmetrics"].per_image[metric] += by
    made.tables["pysodmetrics"].scores[metric] += by
    return replace(made, **changes)


def test_the_same_run_has_not_drifted() -> None:
    drift = check(reference_of(run()), [run()], exact=True)
    assert not drift.failed() and not drift.findings and drift.compared == 10
    assert drift_formats.text(drift, "r.json") == "no drift: 10 values agree with r.json"


def test_a_planted_drift_is_caught_and_described() -> None:
    drift = check(reference_of(run()), [moved(0.01)])
    (finding,) = drift.findings
    assert drift.failed() and finding.kind == "drifted" and finding.metric == "MAE@pysodmetrics"
    assert finding.difference == pytest.approx(0.01) and finding.better is False
    text = drift_formats.text(drift, "r.json")
    assert "drift: the runs differ from r.json (1 finding, 10 values compared)" in text
    assert "drifted, worse" in text and "+0.01" in text


def test_tolerances_are_per_metric_and_exact_overrides_them() -> None:
    reference = reference_of(run(), MAE=0.02)
    assert not check(reference, [moved(0.01)]).failed()
    assert check(reference, [moved(0.01)], exact=True).failed()
    assert check(reference, [moved(0.01, "S")]).failed()
    full = reference_of(run(), **{"MAE": 0.0, "MAE@pysodmetrics": 0.02})
    assert not check(full, [moved(0.01)]).failed()


def test_values_that_are_no_number_agree_with_each_other_only() -> None:
    nan = moved(math.nan)
    assert not check(reference_of(nan), [moved(math.nan)], exact=True).failed()
    assert check(reference_of(run()), [nan]).failed()
    assert check(reference_of(nan), [run()]).findings[0].better is None


def test_missing_and_new_entries_and_metrics() -> None:
    fewer, more = run(), run()
    del fewer.tables["pysodmetrics"].scores["S"]
    more.tables["pysodmetrics"].scores["HCE"] = 5.0
    reference = reference_of(run(), run("gone"))
    kinds = {f.kind for f in check(reference, [fewer]).findings}
    assert kinds == {"metric missing", "entry missing"}
    drift = check(reference_of(run()), [more, run("fresh")])
    assert [f.kind for f in drift.findings] == ["new metric", "new entry"]
    assert not drift.failed() and drift.failed(strict=True)


def test_another_count_fails() -> None:
    drift = check(reference_of(run()), [replace(run(), scored=11)])
    assert drift.findings[0].kind == "count changed" and drift.failed()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "other"}, "the data: masks"),
        ({"images": "other"}, "other images"),
        ({"weights": "other"}, "the weights differ"),
        ({"maps": "other"}, "the maps differ"),
        ({}, "the maps are the same files, so the scoring changed"),
    ],
)
def test_the_likeliest_cause_comes_first(change, message: str) -> None:
    depends = entry_of(run()).depends | {"maps": "digest"}
    assert likely_causes(depends, depends | change)[0].startswith(message)


def test_protocol_fields_versions_and_commits_are_named() -> None:
    old = entry_of(run()).depends
    protocols = {"pysodmetrics": old["protocols"]["pysodmetrics"] | {"f_scale": "max"}}
    versions = old["versions"] | {"numpy": "0.1"}
    causes = likely_causes(old, old | {"protocols": protocols, "versions": versions, "commit": "abc"})
    assert causes[0] == "protocol pysodmetrics: f_scale min-max -> max"
    assert any("numpy" in cause and "-> 0.1" in cause for cause in causes)
    assert any("abc now" in cause for cause in causes)
    assert "not deterministic" in likely_causes(old, old)[0]
    # a convention that one of the two does not know
    more = {"pysodmetrics": old["protocols"]["pysodmetrics"] | {"new_field": 2}}
    assert likely_causes(old, old | {"protocols": more})[0] == "protocol pysodmetrics: new_field None -> 2"


def test_references_come_back_and_are_sorted(tmp_path: Path) -> None:
    reference = reference_of(run("b"), run("a"), moved(math.nan, name="nan"))
    write_reference(tmp_path / "r.json", reference)
    back = read_reference(tmp_path / "r.json")
    assert [entry.name for entry in back.entries] == ["a", "b", "nan"]
    assert back.entries[0].values == run("a").values()
    assert math.isnan(back.entries[2].values["MAE@pysodmetrics"])
    first = (tmp_path / "r.json").read_bytes()
    write_reference(tmp_path / "r.json", back)
    assert (tmp_path / "r.json").read_bytes() == first


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "r.json: not valid JSON .*; restore the file"),
        ('{"schema": 9}', "schema: expected 1, found 9; upgrade sodbench, or delete the file and make it"),
        ('{"schema": 0}', "schema: expected 1, found 0; delete the file and make it again"),
        ("[]", "found None"),
        ('{"schema": 1, "tolerances": {}}', "r.json: entries: missing; .*restore the file"),
        (
            '{"schema": 1, "tolerances": {"MAE": -1}, "entries": []}',
            "tolerances.MAE: expected 0 or more, found -1",
        ),
        (
            json.dumps(
                {
                    "schema": 1,
                    "tolerances": {},
                    "entries": [{"name": "a", "dataset": "d", "scored": 1, "expected": 1, "values": {}}] * 2,
                }
            ),
            "found two entries of a on d",
        ),
    ],
)
def test_bad_references_are_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(InputError, match=message):
        read_reference(tmp_path / "r.json")


def test_machine_formats_escape_what_they_must() -> None:
    name = 'a|b,c:d%\n<x>&"\x07'
    drift = check(reference_of(moved(0, name=name)), [moved(0.5, name=name)])
    (line,) = drift_formats.annotations(drift, "reports/reference.json")
    assert line.startswith("::error file=reports/reference.json,title=a|b%2Cc%3Ad%25%0A<x>")
    assert "\n" not in line and "likely cause" in line
    suite = ElementTree.fromstring(drift_formats.junit(drift))
    assert suite.attrib["failures"] == "1" and suite.attrib["tests"] == "10"
    assert len(suite.findall("testcase")) == 10 and len(suite.findall("*/failure")) == 1
    assert r"a\|b,c:d% &lt;x&gt;" in drift_formats.markdown(drift, "r.json")


def prepared(tmp_path: Path) -> list[str]:
    save_run(tmp_path / "reports", run())
    options = ["--reports", str(tmp_path / "reports"), "--against", str(tmp_path / "reference.json")]
    assert main(["check", *options, "--update"]) == 0
    return ["check", *options]


def test_the_command_passes_fails_and_updates(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    command = prepared(tmp_path)
    assert main([*command, "--exact"]) == 0
    save_run(tmp_path / "reports", moved(0.01))
    before = (tmp_path / "reference.json").read_bytes()
    outputs = ["--junit", str(tmp_path / "new/j.xml"), "--summary", str(tmp_path / "new/s.md"), "--github"]
    assert main([*command, *outputs]) == 1
    assert (tmp_path / "reference.json").read_bytes() == before
    printed = capsys.readouterr().out
    assert "drifted, worse" in printed and "::error file=" in printed
    assert "<failure" in (tmp_path / "new/j.xml").read_text()
    assert "### drift" in (tmp_path / "new/s.md").read_text()
    assert main([*command, "--tolerances", "MAE=0.1"]) == 0
    assert main([*command, "--update"]) == 0 and main(command) == 0


def test_the_command_answers_programs(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    command = prepared(tmp_path)
    save_run(tmp_path / "reports", moved(0.01))
    capsys.readouterr()
    assert main([*command, "--json"]) == 1
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert answer["failed"] and answer["findings"][0]["metric"] == "MAE@pysodmetrics"
    assert "::error" in captured.err and "drift" in (tmp_path / "step.md").read_text()


def test_a_check_that_compares_nothing_does_not_pass(tmp_path: Path, capsys) -> None:
    command = prepared(tmp_path)
    save_run(tmp_path / "reports", run("fresh"))
    assert main([*command, "--methods", "fresh"]) == 2
    assert "there is nothing to compare" in capsys.readouterr().err


def test_a_selection_checks_and_updates_only_itself(tmp_path: Path, capsys) -> None:
    command = prepared(tmp_path)
    save_run(tmp_path / "reports", run("other", "ecssd"))
    assert main([*command, "--update"]) == 0
    save_run(tmp_path / "reports", moved(0.01))
    assert main([*command, "--datasets", "ecssd"]) == 0
    assert main([*command, "--methods", "other", "--update"]) == 0
    assert main(command) == 1
    assert len(read_reference(tmp_path / "reference.json").entries) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tolerances", "MAE"], "expected METRIC=VALUE"),
        (["--tolerances", "MAE=-1"], "0 or more"),
        (["--tolerances", "MEA=1"], "unknown metric 'MEA' (did you mean"),
        (["--methods", "DSSS"], "known: DSS"),
        (["--against", "nowhere.json"], "no such reference"),
    ],
)
def test_wrong_options_are_one_line(tmp_path: Path, capsys, options: list[str], message: str) -> None:
    assert main([*prepared(tmp_path), *options]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_causes_name_the_settings_of_the_network() -> None:
    made = {"network": "a" * 64, "input": '{"height": 160, "mean": [0.5]}', "precision": "fp32"}
    now = {"network": "b" * 64, "input": '{"height": 96, "mean": [0.5]}', "precision": "bf16"}
    assert likely_causes({"prediction": made}, {"prediction": now}) == [
        "input: height 160 -> 96",
        "the code or the options of the network differ",
        "precision fp32 -> bf16",
    ]
    assert "not deterministic" in likely_causes({"prediction": made}, {})[0]  # an entry of before
