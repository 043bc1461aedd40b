"""The one error that means: the user can mend this."""

from __future__ import annotations


class UserError(Exception):
    """A mistake or a lack on the user's side, told in one line: what, where, what to do.

    The command line prints it as ``Error: ...`` and exits with code 2.
    """
