"""The leaderboard action and the workflows of docs/leaderboard.md: their scripts, run as they are written."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sodbench as sb

TOP = Path(__file__).resolve().parents[2]
ACTION = TOP / "actions/leaderboard/action.yml"
PAGE = TOP / "docs/leaderboard.md"
Step = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "sha256sum", "git"))), reason="needs bash, sha256sum and git"
)


def scripts(text: str, indent: int) -> list[str]:
    """The `run:` blocks of a YAML text, cut out by their indentation."""
    inside = " " * indent
    blocks = re.findall(rf"(?m)^ {{{indent - 2}}}run: \|\n((?:{inside}.*\n|\n)+)", text)
    return [re.sub(rf"(?m)^{inside}", "", block) for block in blocks]


def workflow(name: str) -> str:
    """The YAML of a workflow as the page shows it."""
    return next(
        block
        for block in re.findall(r"(?ms)^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"))
        if block.startswith(f"name: {name}\n")
    )


def shim(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/bash\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture()
def step(tmp_path: Path) -> Step:
    """Runs a script as a step of GitHub Actions in the folder `repository`; `python` is this one."""
    shim(tmp_path / "bin", "sodbench", f'exec "{sys.executable}" -m sodbench "$@"')
    shim(tmp_path / "bin", "python", f'exec "{sys.executable}" "$@"')
    # an address https://maps.example/NAME is the file NAME of this folder
    shim(tmp_path / "bin", "curl", f'cp "{tmp_path}/$(basename "${{@: -1}}")" "${{@: -2:1}}"')
    (tmp_path / "runner").mkdir()
    (tmp_path / "repository").mkdir(exist_ok=True)

    def run(script: str, **inputs: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(TOP),
            "RUNNER_TEMP": str(tmp_path / "runner"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GITHUB_REPOSITORY": "lab/results",
        }
        command = ["bash", "-e", "-o", "pipefail", "-c", script]
        return subprocess.run(
            command,
            cwd=tmp_path / "repository",
            env=environment | inputs,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture()
def data(tmp_path: Path) -> Path:
    """A data root with all 76 pairs of CHAMELEON, 12 x 16 pixels each."""
    for folder in ("Imgs", "GT"):
        (tmp_path / "data/CHAMELEON" / folder).mkdir(parents=True)
    for number in range(76):
        mask = np.zeros((12, 16), np.uint8)
        mask[3 : 5 + number % 7, 4 : 9 + number % 5] = 255
        for folder, pixels in (("Imgs", np.stack([mask] * 3, -1)), ("GT", mask)):
            Image.fromarray(pixels).save(tmp_path / f"data/CHAMELEON/{folder}/{number}.png")
    return tmp_path / "data"


def make_maps(data: Path, folder: Path, noise: int) -> None:
    """Maps of all images, good ones with some noise."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(noise)
    for path in sorted((data / "CHAMELEON/GT").iterdir()):
        mask = np.asarray(Image.open(path))
        noisy = mask * 0.6 + draw.integers(0, noise, mask.shape)
        Image.fromarray(noisy.astype(np.uint8)).save(folder / path.name)


def collected_and_scored(step: Step, data: Path, **inputs: str) -> "subprocess.CompletedProcess[str]":
    _, collect, score = scripts(ACTION.read_text(encoding="utf-8"), 8)
    done = step(collect, **{"METHODS": "methods", "NAMES": "", "MEGABYTES": "10", **inputs})
    assert done.returncode == 0, done.stderr
    work = re.findall(r"(?m)^work=(.*)$", (data.parent / "output").read_text())[-1]
    given = {"WORK": work, "DATASETS": "chameleon sod", "DATA_ROOT": str(data), "PROTOCOLS": "sal-eval"}
    return step(score, **{**given, "REPORTS": "rescored", "SITE": "", **inputs})


def recorded(data: Path, maps: Path, name: str, reports: Path) -> sb.Run:
    """The run of maps; `sal-eval` has the fewest curves to draw."""
    how = {"protocols": "sal-eval", "self_check": False}
    return sb.score_maps(maps, "chameleon", name=name, reports=reports, data_root=data, **how)


def test_linked_maps_are_scored_again_and_published(tmp_path: Path, data: Path, step: Step) -> None:
    mine = tmp_path / "repository/methods/mine"
    make_maps(data, mine / "maps/chameleon", 90)
    made = recorded(data, mine / "maps/chameleon", "mine", mine)
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for path in sorted((mine / "maps/chameleon").iterdir()):
            archive.write(path, f"maps/{path.name}")
    shutil.rmtree(mine / "maps")
    digest = hashlib.sha256((tmp_path / "mine.zip").read_bytes()).hexdigest()
    (mine / "maps.txt").write_text(f"# maps\nchameleon {digest} https://maps.example/mine.zip")
    # what Python and sodbench would load from the working folder
    (tmp_path / "repository/zipfile.py").write_text("raise SystemExit('code of the submission ran')")
    shutil.copy(tmp_path / "repository/zipfile.py", mine / "sodbench.py")
    done = collected_and_scored(step, data, SITE="site")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = sb.load_runs(tmp_path / "repository/rescored")
    assert run.name == "mine" and run.values() == made.values()
    summary = (tmp_path / "summary").read_text()
    assert "| mine | 76/76 |" in summary and "Problems" not in summary
    assert "76 of 76 images were scored again" in summary  # of the record that came with the maps
    assert len(sb.load_runs(tmp_path / "repository/site")) == 1
    # records that lie where the new ones go would be in the table
    assert "is not empty" in collected_and_scored(step, data, NAMES="removed").stdout


def test_wrong_submissions_are_named_and_none_is_believed(tmp_path: Path, data: Path, step: Step) -> None:
    methods = tmp_path / "repository/methods"
    make_maps(data, methods / "forged/maps/chameleon", 90)
    make_maps(data, tmp_path / "better", 20)
    recorded(data, tmp_path / "better", "forged", methods / "forged")
    record = methods / "forged/runs/forged/chameleon/run.json"
    where = re.search(r'"maps": "([^"]*)"', record.read_text())
    assert where  # a record of better maps that names those of the submission
    record.write_text(record.read_text().replace(f'"{where[1]}"', '"reports:maps/chameleon"'))
    (methods / "linked/maps").mkdir(parents=True)
    (methods / "linked/maps/chameleon").symlink_to(data / "CHAMELEON/GT")
    for name, line in {
        "digest": f"chameleon {'0' * 64} https://maps.example/forged.zip",
        "address": f"chameleon {'0' * 64} http://maps.example/forged.zip",
        "outside": f"../../x {'0' * 64} https://maps.example/forged.zip",
    }.items():
        (methods / name).mkdir()
        (methods / name / "maps.txt").write_text(line + "\n")
    (tmp_path / "forged.zip").write_bytes(b"PK")
    (methods / "unasked/maps/duts-te").mkdir(parents=True)
    (methods / "$(touch ran) @lab").mkdir()
    done = collected_and_scored(step, data)
    assert done.returncode == 1
    problems = (tmp_path / "summary").read_text().split("```")[1].strip().splitlines()
    expected = {
        "forged: a submitted record differs from its maps",
        "linked: holds a link",
        "digest: maps.txt: the archive of chameleon has another SHA-256",
        "address: maps.txt: expected",
        "outside: maps.txt: expected",
        "unasked: maps of duts-te, expected one of chameleon sod",
        "?(touch ran) ?lab: expected a name",
    }
    for start in expected:
        assert any(line.startswith(start) for line in problems), (start, problems)
    assert done.stdout.count("::error::") == len(problems)
    (run,) = sb.load_runs(tmp_path / "repository/rescored")
    honest = recorded(data, methods / "forged/maps/chameleon", "x", tmp_path / "honest")
    assert run.values() == honest.values()
    assert not list(tmp_path.rglob("ran"))


def test_changed_methods_are_named_by_git(tmp_path: Path, step: Step) -> None:
    (script,) = scripts(workflow("rescore"), 10)
    folder = tmp_path / "repository"
    (folder / "methods/old/maps").mkdir(parents=True)
    (folder / "methods/old/maps/a.png").write_text("")
    name = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for new in ("methods/old/maps/b.png", 'methods/x"\ny/c.png', "methods/new/maps.txt"):
        (folder / new).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
        subprocess.run(["git", *name, "commit", "-qm", "m", "--allow-empty"], cwd=folder, check=True)
        (folder / new).write_text("")
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    subprocess.run(["git", *name, "commit", "-qm", "m"], cwd=folder, check=True)
    assert step(script).returncode == 0
    assert (tmp_path / "output").read_text().splitlines() == ["names=new "]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("methods/mine/maps.txt\n", "the table"),
        ("methods/mine/maps.txt\n.github/workflows/rescore.yml\n", "outside of methods/"),
        ("", "outside of methods/"),
        ("methods/mine/maps/a.png\n" * 3000, "More than 3000 files"),
    ],
)
def test_the_comment_is_withheld_where_other_files_change(
    tmp_path: Path, step: Step, changed: str, said: str
) -> None:
    (script,) = scripts(workflow("comment"), 10)
    (tmp_path / "changed").write_text(changed)
    shim(
        tmp_path / "bin",
        "gh",
        f"""case "$*" in
*/files*) cat "{tmp_path}/changed" ;;
"api -X GET repos/lab/results/pulls"*) echo 17 ;;
"pr comment 17 "*) cp "${{@: -1}}" "{tmp_path}/posted" ;;
*) exit 1 ;;
esac""",
    )
    (tmp_path / "runner/rescored").mkdir()
    (tmp_path / "runner/rescored/summary.md").write_text("the table" + " " * 70_000)
    done = step(script, HEAD="a:$(touch ran)", COMMIT="f" * 40)
    assert done.returncode == 0, done.stderr
    posted = (tmp_path / "posted").read_text()
    assert said in posted and len(posted) < 65_536
    assert not list(tmp_path.rglob("ran"))


def test_no_input_reaches_a_shell_as_text_and_rights_are_named() -> None:
    yaml = pytest.importorskip("yaml")
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    steps = {"action": action["runs"]["steps"]}
    for name in ("rescore", "comment", "publish"):
        content = yaml.safe_load(workflow(name))
        assert "pull_request_target" not in content[True]  # YAML reads `on` as true
        assert content["permissions"]["contents"] == "read"
        (job,) = content["jobs"].values()
        assert "permissions" not in job
        steps[name] = job["steps"]
        for one in job["steps"]:
            if "leaderboard" in one.get("uses", ""):
                assert set(one["with"]) <= set(action["inputs"])
    assert all("${{" not in step.get("run", "") for of in steps.values() for step in of)
    assert yaml.safe_load(workflow("rescore"))["permissions"] == {"contents": "read"}
    assert all("checkout" not in step.get("uses", "") for step in steps["comment"])
