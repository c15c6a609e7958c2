"""Fetching weights from a local web server and from files: checked, whole, or refused."""

import hashlib
import http.server
import threading

import pytest
import torch

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.models import load_baseline
from sodbench.models.fetching import fetch_weights


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The bytes of a weights file of the narrow network."""
    path = tmp_path_factory.mktemp("weights") / "w.pth"
    torch.manual_seed(0)
    torch.save(load_baseline("basnet-tiny").build().state_dict(), path)
    return path.read_bytes()


@pytest.fixture
def address():
    """A server that gives `answers[path]`; yields (address, answers)."""
    answers: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = answers.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", answers
        server.shutdown()


@pytest.fixture
def make(user_folder):
    """Writes `mine.toml`, a narrow BASNet with this `[weights]` table."""

    def write(weights: str):
        (user_folder / "baselines" / "mine.toml").write_text(
            'title = "Mine"\nnetwork = "basnet"\n[options]\nwidth = 16\n'
            f'[weights]\nfile = "mine.pth"\n{weights}\n'
        )
        return load_baseline("mine")

    return write


def _left(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file()) if folder.exists() else []


def test_from_the_baselines_own_address(make, address, content, user_folder):
    url, answers = address
    answers["/w.pth"] = content
    digest = hashlib.sha256(content).hexdigest()
    baseline = make(f'url = "{url}/w.pth"\nsize = {len(content)}\nsha256 = "{digest}"')
    fetched = fetch_weights(baseline)
    assert fetched.fresh and fetched.known and fetched.sha256 == digest
    assert fetched.path == user_folder / "data" / "mine.pth" and _left(user_folder / "data") == ["mine.pth"]
    assert load_baseline("mine").load().weights_sha256 == digest
    assert not fetch_weights(baseline).fresh


def test_an_unknown_digest_is_recorded_and_held_to(make, address, content, user_folder):
    url, answers = address
    answers["/w.pth"] = content
    baseline = make(f'url = "{url}/w.pth"')
    fetched = fetch_weights(baseline)
    assert not fetched.known
    assert (user_folder / "data" / "mine.pth.sha256").read_text() == f"{fetched.sha256}  mine.pth\n"
    state = torch.load(fetched.path, weights_only=True)
    state["inconv.bias"] += 1
    torch.save(state, fetched.path)
    with pytest.raises(InputError, match="the file has changed"):
        baseline.load()
    assert fetch_weights(baseline, force=True).fresh
    baseline.load()


@pytest.mark.parametrize(
    ("keys", "body", "said"),
    [
        ('sha256 = "' + "0" * 64 + '"', None, "wrong content"),
        ("size = 3", None, "expected 3"),
        ("", b"<!DOCTYPE html><html>Quota exceeded</html>", "a web page"),
        ("", b"", "not a PyTorch weights file"),
        ("", b"PK\x03\x04 cut off", "not a PyTorch weights file"),
    ],
)
def test_the_wrong_file_never_takes_the_place(make, address, content, user_folder, keys, body, said):
    url, answers = address
    answers["/w.pth"] = content if body is None else body
    with pytest.raises(InputError, match=said):
        fetch_weights(make(f'url = "{url}/w.pth"\n{keys}'))
    assert _left(user_folder / "data") == []


def test_another_networks_file_is_explained(make, address, user_folder):
    url, answers = address
    torch.save({"a": torch.zeros(3)}, user_folder / "other.pth")
    answers["/w.pth"] = (user_folder / "other.pth").read_bytes()
    with pytest.raises(InputError, match="not weights of this network"):
        fetch_weights(make(f'url = "{url}/w.pth"'))
    assert _left(user_folder / "data") == []


def test_from_a_mirror_or_a_file(make, address, content, user_folder):
    url, answers = address
    answers["/mirror/x.pth"] = content
    baseline = make('drive = "nowhere"')
    assert fetch_weights(baseline, f"{url}/mirror/x.pth").fresh
    (user_folder / "given.pth").write_bytes(content)
    assert fetch_weights(baseline, str(user_folder / "given.pth"), force=True).fresh
    assert (user_folder / "given.pth").is_file()


def test_what_cannot_be_had_says_where_to_put_it(make, address, user_folder):
    url, _ = address
    with pytest.raises(InputError, match=r"put the file at .*mine\.pth, or name a mirror with --from"):
        fetch_weights(make(f'url = "{url}/gone.pth"'))
    with pytest.raises(InputError, match=r"no such file; expected a file or an address"):
        fetch_weights(make(""), "gone.pth")
    with pytest.raises(InputError, match="no address of its weights is known"):
        fetch_weights(make(""))
    assert _left(user_folder / "data") == []


def test_the_command(make, address, content, user_folder, capsys):
    url, answers = address
    answers["/w.pth"] = content
    make(f'url = "{url}/w.pth"')
    assert main(["baselines", "fetch", "mine", "--quiet"]) == 0
    assert "mine: fetched:" in capsys.readouterr().out
    assert main(["baselines", "fetch", "mine", "--quiet"]) == 0
    assert "already there" in capsys.readouterr().out
    assert main(["baselines", "fetch", "minee", "basnett", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "'minee' (did you mean 'mine'" in said and "'basnett' (did you mean 'basnet'" in said
    assert main(["baselines", "fetch", "mine", "basnet", "--from", "x"]) == 2
