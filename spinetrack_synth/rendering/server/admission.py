"""The token that clients of an open host must give before anything else.

UnrealCV's protocol knows no password, so it is a command: ``vset /session/token TOKEN``.
"""

from __future__ import annotations

from hmac import compare_digest
from re import fullmatch
from typing import Final

from spinetrack_synth.errors import UserError

TEMPLATE: Final = "vset /session/token [str]"

SHORTEST: Final = 16
"""Characters of a token: too many to be guessed, however fast."""

MOST_WRONG: Final = 3
"""Wrong tokens after which a client is sent away."""

FOR_EVERYBODY: Final = ("vget /unrealcv/commands", "vget /unrealcv/version")
"""Commands that need no token: the official client sends them as it connects."""


def check_token(token: str) -> None:
    """Raise UserError where a text is too short for a token, or cannot be sent."""
    if fullmatch(rf"[!-~]{{{SHORTEST},}}", token) is None:
        raise UserError(
            f"--token: a token has at least {SHORTEST} letters, digits or signs and no space, "
            "as `openssl rand -hex 16` prints"
        )


class Admission:
    """Whether a client may give commands: from the start where there is no token to give."""

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._wrong = 0

    @property
    def granted(self) -> bool:
        """Has it given the token, if there is one?"""
        return self._token is None

    @property
    def denied(self) -> bool:
        """Was it wrong too often?"""
        return self._wrong >= MOST_WRONG

    def refusal(self, command: str) -> bytes | None:
        """What a command is answered that may not be done, also where it was to give the token.

        None where the command may be done.
        """
        if self._token is None or command in FOR_EVERYBODY:
            return None
        given = fullmatch(r"vset /session/token ([^ ]+) *", command)
        if given is None:
            return b"error this server wants its token first: vset /session/token TOKEN"
        if compare_digest(given[1].encode(), self._token.encode()):
            self._token = None
            return None
        self._wrong += 1
        return b"error that is not the token"
