"""The one exception family of the judge."""


class AutograderError(Exception):
    """Base of every error that the judge raises on purpose."""


class UnknownExerciseError(AutograderError, LookupError):
    """No exercise of that name is declared."""


class DeclarationError(AutograderError, ValueError):
    """An exercise is declared in a way that contradicts itself."""


class SandboxUnavailableError(AutograderError, RuntimeError):
    """Strangers' code cannot be isolated on this machine."""


class SandboxLostError(AutograderError):
    """What ran in a sandbox ended, hung or broke the protocol.

    Attributes
    ----------
    late : bool
        Whether it was given up because its time was over.
    foreign : bool
        Whether bytes came that answer nothing that was asked.
    """

    def __init__(self, text: str, *, late: bool = False, foreign: bool = False) -> None:
        super().__init__(text)
        self.late = late
        self.foreign = foreign


class WorkerLostError(AutograderError):
    """The process that worked on a batch of submissions ended before it was done."""


class OverrunError(AutograderError):
    """The judge's own work on one submission took more time or memory than any submission is worth."""


class SecretError(AutograderError, ValueError):
    """The course's secret is none."""


class BuildError(AutograderError, RuntimeError):
    """An assignment cannot be built from its source."""


class RehearsalError(AutograderError):
    """A notebook cannot be rehearsed: it is not there, or not one of the course's."""


class SyllabusError(AutograderError, ValueError):
    """A course's own description, course.toml, says something that cannot be."""
