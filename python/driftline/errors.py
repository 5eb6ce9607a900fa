"""What driftline raises when data or storage fail it.

Wrong arguments are Python's own `ValueError` and `TypeError`.
"""

__all__ = ["DriftlineError", "InputError", "StorageError"]


class DriftlineError(Exception):
    """The base of all errors of the engine."""


class InputError(DriftlineError, ValueError):
    """Data that cannot be read or do not fit together; trying again changes nothing."""


class StorageError(DriftlineError, OSError):
    """Something outside failed, such as a disk or a network; it can be tried again."""
