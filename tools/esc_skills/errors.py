"""The exceptions that people see, each with a message, a hint and the exit code of its kind.

Exit codes: 0 fine; 1 findings, or a gate refused; 2 usage or input error; 3 an internal fault; 130 interrupted.
"""

from __future__ import annotations

EXIT_FINE = 0
EXIT_FINDINGS = 1
EXIT_INPUT = 2
EXIT_INTERNAL = 3
EXIT_INTERRUPTED = 130


class EscError(Exception):
    """What went wrong in words for a person, and what to do about it.

    Args:
        message: What was found and where: the file, the line, the value.
        hint: What would do instead, or the command that comes next.
    """

    exit_code = EXIT_INPUT

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(EscError):
    """Something that was given cannot be used: a path, an option, a file, a setting, a revision."""


class FaultyRunError(InputError):
    """So many answers of the models are of no use that nothing can be learned from the run; asked again, they may be."""


class DocumentError(InputError):
    """One place of one file cannot be read.

    Args:
        path: The file, as the person named it.
        line: Its line, from 1; 0 where the whole file is meant.
        code: The code of the finding that this is when a whole bank is validated.
        message: What was found.
        hint: What would do instead.
    """

    def __init__(self, path: str, line: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{path}:{line}: {code}: {message}" if line else f"{path}: {code}: {message}", hint)
        self.path = path
        self.line = line
        self.code = code
        self.detail = message


class GitError(EscError):
    """Git refused, or the repository is not in a state that the command can work from."""
