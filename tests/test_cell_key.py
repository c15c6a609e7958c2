"""The key of a cell: equal for what gives equal scores, another for whatever moves one."""

from dataclasses import replace
from pathlib import Path

import pytest

import sodbench as sb
from sodbench.cell_key import joined, key_of, map_parts, network_digest, prediction_parts, scoring_parts
from sodbench.data.folder import open_dataset
from sodbench.files import sha256_of
from sodbench.metrics import load_protocol
from sodbench.models import create, load_baseline
from sodbench.rescoring import rescore
from sodbench.results import provenance
from sodbench.results.dependencies import differences
from sodbench.results.loading import load_runs

SAMPLES = open_dataset("sample").samples[:2]


def test_a_recorded_run_has_the_parts_that_are_known_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_baseline("basnet-tiny").load()
    expected = joined(
        prediction_parts(loaded, SAMPLES), scoring_parts(SAMPLES, [load_protocol("raw")], ["MAE"])
    )
    options = {"protocols": ["raw"], "metrics": ["MAE"], "limit": 2}
    sb.evaluate(loaded, "sample", maps=tmp_path / "maps", reports=tmp_path, batch=1, **options)
    (run,) = load_runs(tmp_path)
    assert run.provenance.depends_on == expected
    again = rescore(run, reports=tmp_path / "again")
    assert key_of(again.provenance.depends_on) == key_of(expected)

    # the same maps as a folder: a cell of its own, which depends on their bytes, read once
    hashed: list[Path] = []
    monkeypatch.setattr(provenance, "sha256_of", lambda path: hashed.append(path) or sha256_of(path))
    scored = sb.score_maps(
        tmp_path / "maps" / "sample",
        "sample",
        protocols=["raw"],
        metrics=["MAE"],
        allow_missing=True,
        reports=None,
    )
    pairs = [(sample, tmp_path / "maps" / "sample" / f"{sample.name}.png") for sample in SAMPLES]
    assert sorted(path for path in hashed if "maps" in path.parts) == [path for _, path in pairs]
    assert scored.provenance.depends_on["maps"] == map_parts(pairs)["maps"] == run.provenance.maps_sha256
    assert scored.provenance.maps_sha256 == run.provenance.maps_sha256


def test_what_moves_a_map_or_a_score_changes_the_key(tmp_path: Path) -> None:
    loaded = load_baseline("basnet-tiny").load()
    parts = prediction_parts(loaded, SAMPLES)
    baseline = loaded.baseline
    others = {
        "weights": replace(loaded, weights_sha256="0" * 64),
        "input": replace(loaded, baseline=replace(baseline, input=replace(baseline.input, fit="pad"))),
        "output": replace(loaded, baseline=replace(baseline, output=replace(baseline.output, gain=1.5))),
        "network": replace(loaded, baseline=replace(baseline, options={**baseline.options, "drop": 0.5})),
    }
    for part, other in others.items():
        changed = prediction_parts(other, SAMPLES)
        assert [line.partition(":")[0] for line in differences(parts, changed)] == [part]
        assert key_of(changed) != key_of(parts)
    assert prediction_parts(loaded, SAMPLES, "bf16")["precision"] == "bf16"
    assert prediction_parts(loaded, SAMPLES[:1])["images"] != parts["images"]

    mask = tmp_path / "mask.png"
    content = bytearray(SAMPLES[0].mask.read_bytes())  # type: ignore[union-attr]
    content[-20] ^= 1
    mask.write_bytes(content)
    pysod, raw = load_protocol("pysodmetrics"), load_protocol("raw")
    scoring = scoring_parts(SAMPLES, [pysod], None)
    for part, changed in {
        "masks": scoring_parts([replace(SAMPLES[0], mask=mask), SAMPLES[1]], [pysod], None),
        "metrics pysodmetrics": scoring_parts(SAMPLES, [pysod], ["MAE"]),
        "protocol pysodmetrics": scoring_parts(SAMPLES, [replace(pysod, f_beta2=1.0)], None),
    }.items():
        assert [line.partition(":")[0] for line in differences(scoring, changed)] == [part]
    assert scoring_parts(SAMPLES, [replace(pysod, title="another title")], None) == scoring
    assert "protocol raw" in scoring_parts(SAMPLES, [raw], None)


def test_the_source_of_a_network_counts_and_not_its_line_ends(tmp_path: Path, monkeypatch) -> None:
    from sodbench import cell_key

    source = (
        "from torch import nn\n"
        "class Net(nn.Sequential):\n"
        "    pass\n"
        "def create():\n"
        "    return Net(nn.Conv2d(3, 1, 1))\n"
    )
    digests = []
    for i, text in enumerate((source, source.replace("\n", "\r\n"), source + "# another\n")):
        (tmp_path / f"net{i}.py").write_bytes(text.encode())
        monkeypatch.syspath_prepend(str(tmp_path))
        cell_key._source_digest.cache_clear()
        digests.append(network_digest(__import__(f"net{i}").create(), {}))
    assert digests[0] == digests[1] != digests[2]
    assert network_digest(create("basnet-tiny"), {}) != network_digest(create("u2netp"), {})


def test_other_versions_for_the_maps_than_for_the_scores_are_said() -> None:
    assert joined({"package numpy": "1"}, {"package numpy": "2", "masks": "a"}) == {
        "package numpy": "2, maps made with 1",
        "masks": "a",
    }
    assert differences({"weights": "a" * 64}, {"weights": "b" * 64, "precision": "bf16"}) == [
        "precision: bf16, was not there",
        "weights: bbbbbbbbbbbb..., was aaaaaaaaaaaa...",
    ]
