"""What driftline raises when data or storage fail it.

Wrong arguments are Python's own `ValueError` and `TypeError`.
"""

__all__ = ["ConfigError", "DriftlineError", "InputError", "StorageError"]


class DriftlineError(Exception):
    """The base of all errors of the engine."""


class InputError(DriftlineError, ValueError):
    """Data that cannot be read or do not fit together; trying again changes nothing."""


class ConfigError(InputError):
    """A configuration that cannot be used; its text has a line for each mistake, and all of them."""

    @property
    def mistakes(self) -> list[str]:
        """Each mistake: file, line, key, what was found and what was expected."""
        return str(self).splitlines()


class StorageError(DriftlineError, OSError):
    """Something outside failed, such as a disk or a network; it can be tried again."""
