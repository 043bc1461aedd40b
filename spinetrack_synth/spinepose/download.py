"""Large files fetched over HTTP: resumed where the line broke, whole or not there."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.locking import file_lock

Progress = Callable[[int, int], None]

TRIES: Final = 5
"""So often a broken line is taken up again without any gain; less often where nothing came."""
FIRST_TRIES: Final = 2

WAIT_S: Final = 1.0
TIMEOUT_S: Final = 30.0
CHUNK: Final = 1 << 18


def download(
    url: str, path: Path, progress: Progress | None = None, *, tries: int = FIRST_TRIES
) -> None:
    """Fetch a file to a path, which exists only when all of it is there.

    What has come lies in ``.NAME.part`` beside it and is gone on from, also by a later call, as
    long as the server says that the file is still the same; else it is begun anew. ``progress``
    is called with the bytes done and wanted; a server from which nothing ever came is asked
    ``tries`` times. Raises UserError with the remedy.
    """
    part = path.with_name(f".{path.name}.part")
    note = path.with_name(f".{path.name}.part.json")
    taken = f"{url}: another process is fetching it; wait for it"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(part.with_suffix(".lock"), taken):
            _fetch_whole(url, part, note, progress, tries)
            os.replace(part, path)
            _drop(note)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error


def _fetch_whole(url: str, part: Path, note: Path, progress: Progress | None, tries: int) -> None:
    """Fetch all of the part, taking up broken lines."""
    failures, best = 0, 0
    while True:
        before = _size(part)
        try:
            wanted = _fetch(url, part, note, progress)
            break
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:  # nothing of ours fits into the file that is there
                _drop(part, note)
            elif error.code < 500:
                raise UserError(f"{url}: the server answers {error.code} {error.reason}") from error
            reason = f"{error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.filename is not None:
                raise  # of our own files
            reason = str(getattr(error, "reason", "") or error) or type(error).__name__
        failures = 0 if _size(part) > best else failures + 1
        best = max(best, _size(part))
        if failures >= (TRIES if best else tries):
            raise UserError(
                f"{url}: cannot be fetched ({reason}); {_size(part) / 1e6:.1f} MB are kept: "
                "run the same command again to go on, or name a file of your own"
            )
        time.sleep(WAIT_S * failures)
    if _size(part) != wanted:
        came = _size(part)
        _drop(part, note)
        raise UserError(f"{url}: {came} bytes came, the server spoke of {wanted}")


def _fetch(url: str, part: Path, note: Path, progress: Progress | None) -> int:
    """Append to the part what is missing; the size of the whole. OSError where the line breaks."""
    start, tag = _size(part), _noted(note)
    request = urllib.request.Request(url, headers={"User-Agent": "spinetrack-synth"})
    if start and tag:
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", tag)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        resumed = answer.status == 206
        if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            _drop(part, note)
            raise ConnectionError("the server sent another part than asked for")
        length = answer.headers.get("Content-Length")
        if length is None:
            raise UserError(f"{url}: the server does not tell the file's size")
        wanted = (start if resumed else 0) + int(length)
        tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        note.write_text(json.dumps({"tag": tag}))
        done = start if resumed else 0
        with part.open("ab" if resumed else "wb") as stream:
            while chunk := answer.read(CHUNK):
                stream.write(chunk)
                done += len(chunk)
                if progress:
                    progress(done, wanted)
    if done < wanted:
        raise ConnectionError(f"the line broke after {done} of {wanted} bytes")
    return wanted


def _noted(note: Path) -> str:
    """What the server said that tells the file from others; weak tags cannot be relied on."""
    try:
        tag = str(json.loads(note.read_text())["tag"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return "" if tag.startswith("W/") else tag


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _drop(*paths: Path) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
