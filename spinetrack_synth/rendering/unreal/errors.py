"""What goes wrong between an engine and its driver, by what can be done about it."""

from __future__ import annotations


class EngineError(Exception):
    """Something was late, lost, refused or wrong; with a fresh connection it may go right."""


class Unreachable(EngineError):
    """No session with the engine: see the kinds below."""


class Refused(Unreachable):
    """Nothing listens at the address."""


class NoHello(Unreachable):
    """Something accepts connections there but does not greet as UnrealCV does."""


class Busy(Unreachable):
    """The server hung up before its greeting: it serves somebody else."""


class CommandFailed(EngineError):
    """The engine answered a command with an error."""


class WrongPicture(EngineError):
    """A picture that cannot be the one that was asked for."""


class WrongPose(EngineError):
    """The bodies do not stand where they were told to."""
