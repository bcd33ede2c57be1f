"""Failures that a retry cannot mend: they end a task at once, without restarts, with their message alone."""


class TaskError(Exception):
    """The declaration or the data of a task is wrong; the message names the subject, the culprit and the fix."""
