"""The one error of the import: the file as a whole cannot be imported."""


class ImportRefused(Exception):
    """The file cannot be imported at all; the message tells the person why, in their language."""


class Unreadable(ValueError):
    """A cell is not empty, and not what its column holds."""
