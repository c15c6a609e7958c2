"""The `model-index` block, read by the parser of the hub's own package."""

from pathlib import Path

import pytest
from results.stand_in import run

import sodbench as sb
from sodbench.cli.main import main
from sodbench.results.saving import save_run

NAMES = ("mine", "yes", "U²-Net: 'a' \"b\" \\ #1", "line\nbreak \x85\U0001f600 - x")


@pytest.mark.parametrize("name", NAMES)
def test_the_hub_reads_every_score_with_its_name(name: str) -> None:
    hub = pytest.importorskip("huggingface_hub")
    runs = [run(name, "sod", images=300), run(name, "own", 1), run("other", "sod", 2)]
    card = hub.ModelCard(sb.model_card(runs, name))
    assert card.data.model_name == name
    read = {(one.dataset_type, one.metric_name): one for one in card.data.eval_results}
    wanted = {(one.dataset, full): value for one in runs[:2] for full, value in one.values().items()}
    assert read.keys() == wanted.keys() and ("sod", "maxF@pysodmetrics") in read
    for key, one in read.items():
        assert one.metric_value == pytest.approx(wanted[key], abs=5e-7) and one.verified is None
        assert one.task_type == "image-segmentation" and one.metric_type == key[1].partition("@")[0]
        assert one.dataset_split == ("test" if key[0] == "sod" else None)


def test_the_command_prints_it_and_leaves_out_runs_on_a_part(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    save_run("reports", run("mine", "sod"))
    save_run("reports", replace(run("mine", "ecssd"), expected=1000))
    assert main(["publish", "--model-card", "mine", "--metrics", "MAE", "maxF"]) == 0
    said = capsys.readouterr()
    assert "name: maxF@pysodmetrics" in said.out and "ecssd" not in said.out and "wF" not in said.out
    assert "not in the model card: ecssd (12/1000 images)" in said.err
    assert main(["publish", "--model-card", "mine", "--datasets", "ecssd"]) == 2
    assert "no run on all images of a data set, only ecssd (12/1000 images)" in capsys.readouterr().err
    assert list(here.iterdir()) == [here / "reports"]
