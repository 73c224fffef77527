"""The one exception family of the judge."""


class AutograderError(Exception):
    """Base of every error that the judge raises on purpose."""


class UnknownExerciseError(AutograderError, LookupError):
    """No exercise of that name is declared."""


class DeclarationError(AutograderError, ValueError):
    """An exercise is declared in a way that contradicts itself."""


class SandboxUnavailableError(AutograderError, RuntimeError):
    """Strangers' code cannot be isolated on this machine."""


class BuildError(AutograderError, RuntimeError):
    """An assignment cannot be built from its source."""
