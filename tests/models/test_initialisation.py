"""Where weights begin: repeatable random starts, torchvision's ImageNet files, weights files."""

import hashlib
import http.server
import threading

import pytest
import torch

from sodbench.errors import InputError
from sodbench.models import create, initialise
from sodbench.models.initialisation import fetch_hashed, imagenet_file


def _state(how: str, seed: int) -> dict[str, torch.Tensor]:
    network = create("basnet-tiny")
    initialise(network, how, seed)
    return network.state_dict()


@pytest.mark.parametrize("how", ["default", "xavier"])
def test_a_seed_gives_one_start_whatever_was_drawn_before(how):
    torch.manual_seed(1)
    first = _state(how, 5)
    torch.rand(7)
    again, other = _state(how, 5), _state(how, 6)
    assert all(torch.equal(first[n], again[n]) for n in first)
    assert not torch.equal(first["inconv.weight"], other["inconv.weight"])


def test_the_global_random_state_is_left_alone():
    network = create("basnet-tiny")
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    initialise(network, "default", 9)
    assert torch.equal(torch.rand(3), expected)


def test_xavier_has_the_variance_it_should():
    weight = _state("xavier", 0)["encoder4.1.conv1.weight"]
    assert float(weight.std()) == pytest.approx((2 / (2 * 128 * 9)) ** 0.5, rel=0.02)
    assert not _state("xavier", 0)["conv5d_1.bias"].any()


def test_imagenet_encoder_goes_where_it_belongs(tmp_path, monkeypatch):
    import torchvision

    donor = torchvision.models.resnet34()
    torch.save(donor.state_dict(), tmp_path / "donor.pth")
    monkeypatch.setattr(
        "sodbench.models.initialisation.imagenet_file", lambda classifier: tmp_path / f"{'donor'}.pth"
    )
    network = create("basnet", refinement="none", supervision=False)
    said = initialise(network, "imagenet", 0)
    assert "resnet34" in said and hashlib.sha256((tmp_path / "donor.pth").read_bytes()).hexdigest() in said
    theirs, ours = donor.state_dict(), network.state_dict()
    moved = [n for n in theirs if n.startswith("layer")]
    assert moved and all(torch.equal(theirs[n], ours[n.replace("layer", "encoder")]) for n in moved)
    encoder = [n for n in ours if n.startswith("encoder")]
    assert len(encoder) == len(moved)


def test_a_narrow_network_has_no_imagenet_encoder():
    with pytest.raises(InputError, match="has no encoder with ImageNet weights"):
        initialise(create("basnet-tiny"), "imagenet")


def test_a_file_gives_what_fits_and_says_what_not(tmp_path):
    donor = create("basnet-tiny", refinement="none")
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    network = create("basnet-tiny")
    said = initialise(network, str(tmp_path / "w.pth"), 0)
    assert f"{len(donor.state_dict())} of 517 tensors" in said and "refunet.conv0.weight" in said
    assert torch.equal(network.state_dict()["conv3d_1.weight"], donor.state_dict()["conv3d_1.weight"])


def test_wrong_starts_are_said(tmp_path):
    with pytest.raises(InputError, match="expected 'default', 'xavier', 'imagenet' or a weights file"):
        initialise(create("basnet-tiny"), "imagnet")
    torch.save({"x": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="none of its 1 tensors fits"):
        initialise(create("basnet-tiny"), str(tmp_path / "w.pth"))


@pytest.fixture
def server(tmp_path):
    """A local web server over `tmp_path / "www"`; yields the folder and the address."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_download_is_checked_by_its_hash(server, tmp_path):
    folder, address = server
    digits = hashlib.sha256(b"weights").hexdigest()[:8]
    (folder / f"net-{digits}.pth").write_bytes(b"weights")
    (folder / "net-00000000.pth").write_bytes(b"weights")
    path = fetch_hashed(f"{address}/net-{digits}.pth", tmp_path / "cache")
    assert path.read_bytes() == b"weights"
    with pytest.raises(InputError, match="not the expected file: its SHA-256 must begin with 00000000"):
        fetch_hashed(f"{address}/net-00000000.pth", tmp_path / "cache")
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [path.name]
    path.write_bytes(b"changed")
    with pytest.raises(InputError, match="delete it and try again"):
        fetch_hashed(f"{address}/net-{digits}.pth", tmp_path / "cache")


def test_absent_file_and_no_network_say_where_to_put_it(tmp_path):
    with pytest.raises(InputError, match=r"put it at .*net-01234567\.pth"):
        fetch_hashed("http://127.0.0.1:9/net-01234567.pth", tmp_path)


def test_torchvisions_own_entry_is_used(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(
        "sodbench.models.initialisation.fetch_hashed", lambda url, folder: seen.update(url=url, folder=folder)
    )
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    imagenet_file("resnet34")
    assert seen["url"].endswith("/resnet34-b627a593.pth")
    assert seen["folder"] == tmp_path / "hub" / "checkpoints"
