"""Model: a window of examples becomes a trained, compressed, compared, blessed and published model; it recommends.

A phase a file: train, compare, decide, recommend. What is done is a record, written once at the end of a phase, and
never guessed from the files that lie about. Training runs in processes of its own: `launch` is given a task as JSON
and returns when it is done.
"""
