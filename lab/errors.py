"""The one exception that means "the user can mend this"."""


class LabError(Exception):
    """A mistake outside the program: an option, a file, a machine that lacks something.

    Its text is one sentence that says what is wrong, where, and what to do. The command lines print that
    sentence and exit with 1; they print a traceback only for errors of any other kind, which are bugs.
    """
