"""The errors that mean: the user can mend this."""

from __future__ import annotations


class UserError(Exception):
    """A mistake or a lack on the user's side, told in one line: what, where, what to do.

    The command line prints it as ``Error: ...`` and exits with code 2.
    """


class PictureError(UserError):
    """One picture or video cannot be looked at; the others can."""
