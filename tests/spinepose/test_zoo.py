"""Official models come from a server that breaks lines, lies about sizes and changes files."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from filelock import FileLock

from spinetrack_synth.cli.models import command
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose import download as downloads
from spinetrack_synth.spinepose import zoo
from spinetrack_synth.spinepose.download import download
from spinetrack_synth.spinepose.zoo import NON_COMMERCIAL, Official

CONTENT = b"\x08" + bytes(range(256)) * 4000
OTHER = b"\x08" + bytes(range(255, -1, -1)) * 4000


@dataclass
class Shelf:
    """What the server holds and how it behaves."""

    content: bytes = CONTENT
    tag: str | None = '"first"'
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the next answers break off."""
    claimed: int | None = None
    ranges: bool = True
    status: int = 200
    asked: list[str | None] = field(default_factory=list)
    """The Range header of every request."""


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def url(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(downloads, "WAIT_S", 0.0)
    monkeypatch.setattr(downloads, "TIMEOUT_S", 5.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            shelf.asked.append(wanted)
            if shelf.status != 200:
                self.send_error(shelf.status)
                return
            start = 0
            fresh = self.headers.get("If-Range") in (None, shelf.tag)
            if wanted and shelf.ranges and fresh:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(shelf.content):
                    self.send_error(416)
                    return
            rest = shelf.content[start:]
            self.send_response(206 if start else 200)
            if start:
                last = len(shelf.content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
            if shelf.tag:
                self.send_header("ETag", shelf.tag)
            self.send_header("Content-Length", str(shelf.claimed or len(rest)))
            self.end_headers()
            self.wfile.write(rest[: shelf.cuts.pop(0)] if shelf.cuts else rest)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/net.onnx"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_comes_whole(url: str, shelf: Shelf, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    download(url, tmp_path / "a" / "net.onnx", lambda *x: told.append(x))
    assert (tmp_path / "a" / "net.onnx").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert len(told) > 1
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["net.onnx"]


def test_broken_lines_are_taken_up_where_they_broke(url: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.cuts = [300_000, 1, 200_000]
    download(url, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT
    starts = ["bytes=300000-", "bytes=300001-", "bytes=500001-"]
    assert shelf.asked == [None, *starts]


def test_a_later_call_goes_on(url: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.cuts = [400_000, *[0] * 10]
    path = tmp_path / "net.onnx"
    with pytest.raises(UserError, match=r"0\.4 MB are kept: run the same command again"):
        download(url, path)
    assert not path.exists()
    shelf.cuts = []
    shelf.asked.clear()
    download(url, path)
    assert path.read_bytes() == CONTENT
    assert shelf.asked == ["bytes=400000-"]


@pytest.mark.parametrize("tag", ['"second"', None, 'W/"weak"'])
def test_a_file_that_changed_meanwhile_is_begun_anew(
    url: str, shelf: Shelf, tmp_path: Path, tag: str | None
) -> None:
    shelf.cuts = [400_000, *[0] * 10]
    shelf.tag = '"first"' if tag == '"second"' else tag
    path = tmp_path / "net.onnx"
    with pytest.raises(UserError):
        download(url, path)
    shelf.cuts, shelf.tag, shelf.content = [], tag, OTHER
    download(url, path)
    assert path.read_bytes() == OTHER


def test_a_server_without_ranges(url: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.cuts, shelf.ranges = [500_000], False
    download(url, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize("extra", [5000, -5000])
def test_wrong_sizes(url: str, shelf: Shelf, tmp_path: Path, extra: int) -> None:
    shelf.claimed = len(CONTENT) + extra
    path = tmp_path / "net.onnx"
    if extra > 0:
        with pytest.raises(UserError, match="cannot be fetched"):
            download(url, path)
        assert not path.exists()
    else:  # what is beyond the claimed size is no part of the answer
        download(url, path)
        assert path.read_bytes() == CONTENT[:extra]


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (503, 2)])
def test_refusals_are_told(url: str, shelf: Shelf, tmp_path: Path, status: int, tries: int) -> None:
    shelf.status = status
    with pytest.raises(UserError, match=f"{url}: .*{status}"):
        download(url, tmp_path / "net.onnx")
    assert len(shelf.asked) == tries


def test_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "WAIT_S", 0.0)
    with pytest.raises(UserError, match="cannot be fetched"):
        download("http://127.0.0.1:9/net.onnx", tmp_path / "net.onnx")


@pytest.fixture
def official(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Official:
    """A model of the local server, and a home of its own."""
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return Official("small", url, NON_COMMERCIAL)


def yes(text: str) -> bool:
    return True


def no(text: str) -> bool:
    return False


def test_the_licence_is_shown_and_accepted_once(official: Official) -> None:
    shown: list[str] = []
    with pytest.raises(UserError, match=f"{NON_COMMERCIAL}, not for commercial use"):
        zoo.obtain(official, accept=no)
    assert zoo.state(official).path is None

    def accept(text: str) -> bool:
        shown.append(text)
        return True

    path = zoo.obtain(official, accept=accept)
    assert path.read_bytes() == CONTENT
    zoo.remove(official)
    assert zoo.obtain(official, accept=accept) == path
    assert len(shown) == 1
    assert "not for commercial use" in shown[0]


def test_detectors_need_no_consent(url: str, official: Official) -> None:
    assert zoo.obtain(Official("rfdetr-small", url, "Apache-2.0")).is_file()


def test_the_first_hash_is_recorded_and_held_against_the_file(
    official: Official, shelf: Shelf
) -> None:
    path = zoo.obtain(official, accept=yes)
    record = json.loads((zoo.models_folder() / zoo.RECORD).read_bytes())["files"]["net.onnx"]
    assert record["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (record["size"], record["url"]) == (len(CONTENT), official.url)
    path.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(UserError, match=r"is not the file that was fetched .* models remove small"):
        zoo.obtain(official)


def test_a_changed_publication_is_refused_until_it_is_known(
    official: Official, shelf: Shelf
) -> None:
    zoo.obtain(official, accept=yes)
    assert zoo.remove(official) == len(CONTENT)
    shelf.content, shelf.tag = OTHER, '"second"'
    with pytest.raises(UserError, match=r"is another file than on .* --changed"):
        zoo.obtain(official)
    assert zoo.state(official).path is None
    assert zoo.obtain(official, changed=True).read_bytes() == OTHER
    assert zoo.obtain(official).read_bytes() == OTHER


def test_a_hash_that_is_known_beforehand_is_held_against_what_comes(
    official: Official, url: str, shelf: Shelf
) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    nano = Official("yolox-nano", url, "Apache-2.0", len(CONTENT), digest)
    shelf.content = OTHER
    for changed in (False, True):
        with pytest.raises(UserError, match=f"not the file that was published: {len(OTHER):,} by"):
            zoo.obtain(nano, changed=changed)
    assert zoo.state(nano).path is None
    shelf.content, shelf.tag = CONTENT, '"second"'
    path = zoo.obtain(nano)
    assert path.read_bytes() == CONTENT
    (zoo.models_folder() / zoo.RECORD).unlink()
    assert zoo.obtain(nano) == path, "laid there by hand it is as good"
    path.write_bytes(OTHER)
    with pytest.raises(UserError, match="its SHA-256 differs"):
        zoo.obtain(nano)


def test_accepted_are_networks_that_are_there_or_whose_terms_were_agreed_to(
    official: Official,
) -> None:
    assert not zoo.accepted(official)
    zoo.obtain(official, accept=yes)
    assert zoo.accepted(official)
    zoo.remove(official)
    assert zoo.accepted(official), "consent is remembered"


def test_a_part_of_a_file_is_kept_until_it_is_removed(official: Official, shelf: Shelf) -> None:
    shelf.cuts = [400_000, *[0] * 10]
    with pytest.raises(UserError, match="run the same command again"):
        zoo.obtain(official, accept=yes)
    assert zoo.state(official).path is None
    assert zoo.remove(official) >= 400_000
    assert [path.name for path in zoo.models_folder().iterdir()] == [zoo.RECORD]


def test_a_page_to_log_in_is_no_network(official: Official, shelf: Shelf) -> None:
    shelf.content = b"<html>Welcome to our guest network</html>"
    with pytest.raises(UserError, match="what came is no ONNX file"):
        zoo.obtain(official, accept=yes)
    shelf.content = CONTENT
    assert zoo.obtain(official).read_bytes() == CONTENT


def test_two_processes_do_not_mix_their_parts(url: str, tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / ".net.onnx.lock"),
        pytest.raises(UserError, match="another process is fetching it"),
    ):
        download(url, tmp_path / "net.onnx")
    download(url, tmp_path / "net.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]


def test_offline_fetches_nothing(official: Official, shelf: Shelf) -> None:
    with pytest.raises(UserError, match="--offline forbids fetching"):
        zoo.obtain(official, offline=True, accept=yes)
    assert shelf.asked == []
    zoo.obtain(official, accept=yes)
    assert zoo.obtain(official, offline=True).is_file()


def test_files_of_the_spinepose_package_are_found(official: Official, shelf: Shelf) -> None:
    theirs = zoo.package_folder() / official.file_name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"weights")
    assert theirs.as_posix().endswith(".cache/spinepose/hub/checkpoints/net.onnx")
    assert zoo.obtain(official) == theirs
    assert zoo.state(official).of_package
    assert shelf.asked == []
    assert zoo.remove(official) == 0
    assert theirs.exists()


def test_the_command_lists_fetches_and_removes(
    official: Official, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(zoo.OFFICIAL, "small", official)
    runner = CliRunner()
    listed = runner.invoke(command, []).output
    assert [line.split()[0] for line in listed.splitlines()] == list(zoo.OFFICIAL)
    assert "small          CC-BY-NC-4.0  not fetched" in listed
    refused = runner.invoke(command, ["fetch", "small"])
    assert isinstance(refused.exception, UserError)
    assert "attribution, and not for commercial use" in refused.output
    fetched = runner.invoke(command, ["fetch", "small", "--accept-licence"])
    assert f"small: {zoo.models_folder() / 'net.onnx'}" in fetched.output
    assert "1.0 MB, " in runner.invoke(command, ["list"]).output
    assert runner.invoke(command, ["remove", "small"]).output == "freed 1.0 MB\n"


def test_names_of_the_published_files() -> None:
    host = "https://huggingface.co/dfki-av/spinepose/resolve/main"
    assert zoo.by_mode("small").url == f"{host}/spinepose-s_32xb256-10e_simspine-256x192.onnx"
    assert (
        zoo.by_mode("large", "v1").url == f"{host}/spinepose-l_32xb256-10e_spinetrack-256x192.onnx"
    )
    for version in ("latest", "v1"):
        assert zoo.by_mode("xlarge", version).file_name == (
            "spinepose-x_32xb128-10e_spinetrack-384x288.onnx"
        )
    assert zoo.by_name("rfdetr-medium").file_name == "rfdetr_s_v142_512x512.onnx"
    for wrong in (("huge", "v1"), ("small", "v3")):
        with pytest.raises(UserError, match="expected"):
            zoo.by_mode(*wrong)
    with pytest.raises(UserError, match="no official model; there are small"):
        zoo.by_name("tiny")
    with pytest.raises(UserError, match=r"xlarge is of the first release only: give .* v1"):
        zoo.by_mode("xlarge", "v2")
    yolox = zoo.by_name("yolox-small")
    assert yolox.url.endswith("/onnx_sdk/yolox_tiny_8xb8-300e_humanart-6f3252f9.zip")
    assert yolox.file_name == "yolox_tiny_8xb8-300e_humanart-6f3252f9.onnx"
    assert zoo.by_name("yolox-nano").licence == "Apache-2.0"
    assert {f"{family}-{mode}" for family in zoo.DETECTORS for mode in zoo.MODES} <= set(
        zoo.OFFICIAL
    )


def archive(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in members.items():
            written.writestr(f"folder/{name}.onnx", data)
            written.writestr("folder/pipeline.json", b"{}")
    return content.getvalue()


def test_networks_in_archives_are_unpacked(
    official: Official, url: str, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.content = archive(end2end=CONTENT)
    wrapped = Official("yolox-small", url.replace("net.onnx", "net.zip"), "Apache-2.0")
    path = zoo.obtain(wrapped)
    assert (path.name, path.read_bytes()) == ("net.onnx", CONTENT)
    assert zoo.obtain(wrapped) == path
    assert len(shelf.asked) == 1
    assert sorted(p.name for p in path.parent.iterdir()) == ["net.onnx", zoo.RECORD]


@pytest.mark.parametrize(
    "content", [archive(other=CONTENT), archive(end2end=CONTENT)[:-400], b"PK" + b"nothing" * 9]
)
def test_broken_archives_are_told_and_leave_nothing(
    official: Official, url: str, shelf: Shelf, content: bytes
) -> None:
    shelf.content = content
    with pytest.raises(UserError, match="the archive cannot be unpacked"):
        zoo.obtain(Official("yolox-small", url.replace("net.onnx", "net.zip"), "Apache-2.0"))
    assert not [p for p in zoo.models_folder().iterdir() if p.name != zoo.RECORD]
