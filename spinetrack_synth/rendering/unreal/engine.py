"""An engine that draws shots, whatever happens to its connection or, if it is ours, its process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.unreal.calibration import Calibration
from spinetrack_synth.rendering.unreal.contours import check_contours, find_contours, match
from spinetrack_synth.rendering.unreal.errors import (
    Busy,
    EngineError,
    NoHello,
    Refused,
    Unreachable,
)
from spinetrack_synth.rendering.unreal.launching import Launched
from spinetrack_synth.rendering.unreal.resemblance import Impression, check_new, impression
from spinetrack_synth.rendering.unreal.session import Endpoint, open_session
from spinetrack_synth.rendering.unreal.stage import Patience, Stage
from spinetrack_synth.shot import Frame, Shot

ATTEMPTS: Final = 4
"""Times a shot is tried before the run stops."""

PAUSES_S: Final = (0.2, 1.0, 3.0)
"""Waited before connecting again to an engine that was not started by us: it may be coming back."""

REMEDIES: Final = {
    Refused: "start the engine, or give its --host and --port, or --launch BINARY",
    NoHello: "another client holds it, or it is no UnrealCV server, or one up to 1.0.1 that has "
    "had its only client: end the client or restart the engine",
    Busy: "it serves another client, or it is no UnrealCV server: end the other client",
}


class Engine:
    """One engine at an endpoint; with ``binary`` it is started there, and again when it fails."""

    def __init__(
        self, endpoint: Endpoint, binary: Path | None = None, patience: Patience | None = None
    ) -> None:
        self._endpoint = endpoint
        self._binary = binary
        self._patience = patience or Patience()
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

        Raises UserError where that does not help.
        """
        trouble: EngineError | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                self._recover(attempt)
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
        """Disconnect, and end the engine if it was started here."""
        self._let_go()
        self._end()

    def _check_picture(self, frame: Frame) -> None:
        """Raises WrongPicture for a picture that shows anything but what mask and depth show."""
        seen = impression(frame.rgb, frame.ids, frame.depth_m)
        if self._seen is not None:
            check_new(seen, self._seen)
        found = match(frame.rgb, find_contours(frame.ids, frame.depth_m))
        check_contours(found, [person.subject_id for person in frame.people or ()])
        self._seen = seen

    def _ready(self) -> Stage:
        """The stage, made anew where the last one is gone."""
        if self._stage is None:
            if self._binary is not None and self._launched is None:
                self._stage = self._launch(self._binary)
            else:
                self._stage = self._set_up()
            told = self._stage.offer.provenance
            if self._provenance is not None and told != self._provenance:
                self._let_go()
                raise UserError(
                    f"{self._endpoint}: another engine answers than at first ({told}); "
                    "give another folder to draw with it"
                )
            self._calibration, self._provenance = self._stage.calibration, told
        return self._stage

    def _set_up(self) -> Stage:
        session = open_session(self._endpoint, self._patience.hello_s)
        try:
            return Stage(session, self._endpoint, self._patience, known=self._calibration)
        except BaseException:
            session.close()
            raise

    def _launch(self, binary: Path) -> Stage:
        """Start the engine and set it up as soon as it can be.

        UnrealCV listens before the engine is ready to draw, so a failing set-up says little.
        """
        self._launched = Launched(binary, self._endpoint.port)
        give_up = time.monotonic() + self._patience.start_s
        while True:
            try:
                return self._set_up()
            except EngineError as error:
                trouble = error
            if not self._launched.alive:
                words = self._launched.last_words
                self._end()
                raise UserError(f"--launch {binary}: {words}")
            if time.monotonic() > give_up:
                self._end()
                raise UserError(
                    f"--launch {binary}: not ready after {self._patience.start_s:.0f} s: {trouble}"
                )
            time.sleep(0.25)

    def _recover(self, attempt: int) -> None:
        """Before another attempt: an engine of ours that is gone or fails again starts anew."""
        if self._launched is None:
            time.sleep(PAUSES_S[min(attempt, len(PAUSES_S)) - 1])
        elif not self._launched.alive or attempt > 1:
            self._end()

    def _let_go(self) -> None:
        if self._stage is not None:
            self._stage.close()
            self._stage = None

    def _end(self) -> None:
        if self._launched is not None:
            self._launched.end()
            self._launched = None
