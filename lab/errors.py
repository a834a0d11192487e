"""The exceptions that are no bugs: a mistake that the user can mend, and the wish that a run should end."""


class LabError(Exception):
    """A mistake outside the program: an option, a file, a machine that lacks something.

    Its text is one sentence that says what is wrong, where, and what to do. The command lines print that
    sentence and exit with 1; they print a traceback only for errors of any other kind, which are bugs.
    """


class CodeNeeded(LabError):
    """Something names code of its author's own, and nobody has given the file here and now."""


class FolderTaken(LabError):
    """The folder is somebody else's: another process is at work there, or files lie there that no run has written. What
    becomes of it is not for this run to say, and nothing is written there."""


class Followed(LabError):
    """What ends a process of a run because another one is ending, or gone. That one says why, if it can."""


class Interrupted(BaseException):
    """A run was told to end. Not an Exception, so that nobody on the way takes it for an error to be handled."""

    def __init__(self, reason: str, exit_code: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exit_code = exit_code


def shown(word: str, longest: int = 60) -> str:
    """What somebody typed, as a sentence can hold it: on one line, and cut if it is long."""
    text = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in word)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def is_text(word: str) -> bool:
    """False for what was typed in bytes that are not UTF-8: Python hands them on as halves of characters."""
    return word == word.encode("utf-8", errors="replace").decode("utf-8")
