"""An engine that draws shots, whatever happens to its connection or, if it is ours, its process."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Event
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.unreal.calibration import Calibration
from spinetrack_synth.rendering.unreal.contours import (
    check_contours,
    check_way_round,
    find_contours,
    match,
)
from spinetrack_synth.rendering.unreal.errors import (
    Busy,
    EngineError,
    NoHello,
    Refused,
    Unreachable,
)
from spinetrack_synth.rendering.unreal.launching import Launched
from spinetrack_synth.rendering.unreal.resemblance import Impression, check_new, impression
from spinetrack_synth.rendering.unreal.session import Endpoint, load_client, open_session
from spinetrack_synth.rendering.unreal.stage import Patience, Stage
from spinetrack_synth.shot import Frame, Shot

ATTEMPTS: Final = 4
"""Times a shot is tried before the run stops."""

NOTICE_S: Final = 0.2
"""Waited before connecting again: a server may have to notice first that its client is gone."""

RETURN_S: Final = 60.0
"""How long an engine that was not started by us may be gone: systemd, Docker and the like start it
anew, and a packaged project takes a while to draw."""

RETRY_S: Final = 1.0
"""Between looking whether it is back."""

REMEDIES: Final = {
    Refused: "start the engine, or give its --host and --port, or --launch BINARY",
    NoHello: "another client holds it, or it is no UnrealCV server, or one up to 1.0.1 that has "
    "had its only client: end the client or restart the engine",
    Busy: "it serves another client, or it is no UnrealCV server: end the other client",
}

_log = logging.getLogger(__name__)


class Engine:
    """One engine at an endpoint; with ``binary`` it is started there, and again when it fails."""

    def __init__(
        self, endpoint: Endpoint, binary: Path | None = None, patience: Patience | None = None
    ) -> None:
        self._endpoint = endpoint
        self._binary = binary
        self._patience = patience or Patience()
        self._closed = Event()
        self._launched: Launched | None = None
        self._stage: Stage | None = None
        self._calibration: Calibration | None = None
        self._provenance: dict[str, str] | None = None
        self._seen: Impression | None = None

    @property
    def provenance(self) -> dict[str, str]:
        """What a dataset says about this engine; known once it is open."""
        return self._provenance or {}

    def open(self) -> None:
        """Connect and set up. Raises UserError, telling in one line why this engine cannot draw."""
        try:
            self._ready()
        except Unreachable as error:
            self.close()
            raise UserError(f"{error}; {REMEDIES[type(error)]}") from None
        except EngineError as error:
            self.close()
            raise UserError(f"{self._endpoint}: set-up failed: {error}") from None
        except BaseException:
            self.close()
            raise

    def draw(self, shot: Shot) -> Frame:
        """Draw a shot, again on a fresh connection after anything that was late, lost or wrong.

        Raises UserError where that does not help, where an engine that is gone does not come back
        within a minute, and where it is closed meanwhile.
        """
        trouble: EngineError | None = None
        for attempt in range(ATTEMPTS):
            if trouble is not None:
                self._recover(attempt, shot, trouble)
            try:
                frame = self._ready().draw(shot)
                self._check_picture(frame)
                return frame
            except EngineError as error:
                trouble = error
                self._let_go()
        raise UserError(
            f"{self._endpoint}: shot {shot.index} failed {ATTEMPTS} times, at last: {trouble}; "
            "what is done is safe: see to the engine and run the same command again"
        )

    def close(self) -> None:
        """Disconnect, and end the engine if it was started here. A shot that another thread draws
        or waits for ends."""
        self._closed.set()
        self._let_go()
        self._end()

    def _check_picture(self, frame: Frame) -> None:
        """Raises WrongPicture for a picture that shows anything but what mask and depth show."""
        seen = impression(frame.rgb, frame.ids, frame.depth_m)
        if self._seen is not None:
            check_new(seen, self._seen)
        contours = find_contours(frame.ids, frame.depth_m)
        found = match(frame.rgb, contours)
        check_way_round(frame.rgb, contours, found)
        check_contours(found, [person.subject_id for person in frame.people or ()])
        self._seen = seen

    def _ready(self) -> Stage:
        """The stage, made anew where the last one is gone."""
        stage = self._stage
        if stage is None:
            if self._binary is not None and self._launched is None:
                stage = self._launch(self._binary)
            else:
                stage = self._set_up()
            self._stage = stage
            told = stage.capabilities.provenance
            if self._provenance is not None and told != self._provenance:
                self._let_go()
                raise UserError(
                    f"{self._endpoint}: another engine answers than at first ({told}); "
                    "give another folder to draw with it"
                )
            self._calibration, self._provenance = stage.calibration, told
            if self._closed.is_set():  # by another thread, which did not see this stage
                self.close()
                raise UserError(f"{self._endpoint}: closed")
        return stage

    def _set_up(self) -> Stage:
        again = self._provenance is not None
        session = open_session(self._endpoint, self._patience.hello_s, again=again)
        try:
            return Stage(session, self._endpoint, self._patience, known=self._calibration)
        except BaseException:
            session.close()
            raise

    def _launch(self, binary: Path) -> Stage:
        """Start the engine and set it up as soon as it can be.

        UnrealCV listens before the engine is ready to draw, so a failing set-up says little.
        """
        load_client()
        launched = self._launched = Launched(binary, self._endpoint.port)
        give_up = time.monotonic() + self._patience.start_s
        while True:
            try:
                return self._set_up()
            except EngineError as error:
                trouble = error
            if self._closed.wait(0.25):
                self._end()
                raise UserError(f"--launch {binary}: closed before it was ready")
            if not launched.alive:
                words = launched.last_words
                self._end()
                raise UserError(f"--launch {binary}: {words}")
            if time.monotonic() > give_up:
                self._end()
                raise UserError(
                    f"--launch {binary}: not ready after {self._patience.start_s:.0f} s: {trouble}"
                )

    def _recover(self, attempt: int, shot: Shot, trouble: EngineError) -> None:
        """Before another attempt: an engine of ours that is gone or fails again starts anew, for
        another one we wait until it can be set up."""
        if self._closed.wait(NOTICE_S):
            raise UserError(f"{self._endpoint}: closed during shot {shot.index}")
        if self._binary is None:
            self._await(shot, trouble)
        elif self._launched is not None and (not self._launched.alive or attempt > 1):
            self._end()

    def _await(self, shot: Shot, trouble: EngineError) -> None:
        """Connect and set up, if need be over and over, for a minute."""
        give_up = time.monotonic() + RETURN_S
        waiting = False
        while True:
            try:
                self._ready()
                if waiting:
                    _log.info("%s: back again", self._endpoint)
                return
            except EngineError as error:
                gone = error
            if time.monotonic() >= give_up:
                raise UserError(
                    f"{self._endpoint}: shot {shot.index} failed ({trouble}) and the engine did "
                    f"not come back within {RETURN_S:.0f} s: {gone}; what is done is safe: see to "
                    "the engine and run the same command again"
                )
            if not waiting:
                _log.info("%s; waiting up to %.0f s for the engine to come back", gone, RETURN_S)
                waiting = True
            if self._closed.wait(RETRY_S):
                raise UserError(f"{self._endpoint}: closed during shot {shot.index}")

    def _let_go(self) -> None:
        stage, self._stage = self._stage, None
        if stage is not None:
            stage.close()

    def _end(self) -> None:
        launched, self._launched = self._launched, None
        if launched is not None:
            launched.end()
