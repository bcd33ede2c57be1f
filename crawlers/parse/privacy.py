"""Personal data: keyed hashes, so that a person can be followed but not read."""

from __future__ import annotations

import hashlib

import polars as pl

SECRET_VARIABLE = "SLUICE_PII_KEY"  # noqa: S105 - the name of a variable, not a secret

_DIGEST_BYTES = 16


class MissingSecretError(Exception):
    """A contract hashes personal data, but there is no key to hash it with."""

    def __init__(self, source: str, columns: list[str]) -> None:
        super().__init__(
            f"Source '{source}' hashes personal data ({', '.join(columns)}), but {SECRET_VARIABLE} is not set. "
            'Make a key once with `python -c "import secrets; print(secrets.token_hex(32))"`, keep it safe, and set '
            f"{SECRET_VARIABLE} to it: with another key the same person gets another hash.",
        )


def hash_value(text: str, secret: bytes) -> str:
    """The keyed hash of one value: 32 hexadecimal characters of BLAKE2b.

    Args:
        text: the value.
        secret: the key, of any length but not empty.

    >>> hash_value("ada", b"key") == hash_value("ada", b"key")
    True
    >>> hash_value("ada", b"key") == hash_value("ada", b"another key")
    False
    """
    return _hashed([text], secret)[0]


def hash_pii(expr: pl.Expr, secret: bytes) -> pl.Expr:
    """The keyed hash of each value of a text expression; null stays null. Each distinct value is hashed once."""
    return expr.map_batches(lambda texts: hash_series(texts, secret), return_dtype=pl.String())


def hash_series(texts: pl.Series, secret: bytes) -> pl.Series:
    """The keyed hash of each value of a text series; null stays null. Each distinct value is hashed once."""
    distinct = texts.drop_nulls().unique()
    hashes = pl.Series(_hashed(distinct.to_list(), secret), dtype=pl.String)
    if len(distinct) == 0:
        return pl.Series(texts.name, [None] * len(texts), dtype=pl.String)
    return texts.replace_strict(distinct, hashes, default=None, return_dtype=pl.String())


def _hashed(texts: list[str], secret: bytes) -> list[str]:
    if not secret:
        raise ValueError("the key for personal data is empty; make one with secrets.token_hex(32)")
    # BLAKE2b takes keys of up to 64 bytes; a digest of the secret has always the same length.
    keyed = hashlib.blake2b(key=hashlib.sha256(secret).digest(), digest_size=_DIGEST_BYTES)
    hashes = []
    for text in texts:
        one = keyed.copy()
        one.update(text.encode())
        hashes.append(one.hexdigest())
    return hashes
