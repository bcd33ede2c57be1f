"""Addresses of a crawl: templates with `{date}` and `${VAR}`, the hosts that may be asked, and what may be shown.

What people read (manifests, logs, messages) never holds the value of a variable or a password: addresses are shown
relative to the declared template, such as `${SHOP_URL}/logs/2026-10-01/events-00.jsonl.gz`.
"""

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from foundation.nearest import hint

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_DATE = re.compile(r"\{date(?::([^{}]*))?\}")
_PLACEHOLDER = re.compile(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)(?::[^{}]*)?\}")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CREDENTIALS = re.compile(r"(https?://)[^/\s@'\"<>]+@")
# A variable whose value is shorter than this cannot be a secret, and replacing it would deface every address.
_SHORTEST_SECRET = 4


class MissingVariableError(Exception):
    """A `${VAR}` of a start address is not in the environment."""


def check_start(start: str) -> str:
    """Refuse a start address that could never be crawled, when definitions load.

    Args:
        start: The template as declared.

    Returns:
        The same template.

    Raises:
        ValueError: If it is no http(s) address, or holds an unknown placeholder.
    """
    if not re.match(r"https?://|\$\{", start):
        raise ValueError(f"start {start!r} is no address; write http://…, https://… or ${{VAR}}/…")
    check_placeholders("start", start)
    if "{date" in urlsplit(start).netloc.replace("${", ""):
        raise ValueError(f"start {start!r} holds {{date}} in its host; a source has one host: move it into the path")
    for name in re.findall(r"\$\{([^}]*)\}?", start):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"start {start!r} holds '${{{name}}}', which names no environment variable")
    return start


def check_pattern(pattern: str) -> str:
    """Refuse a pattern that does not compile, when definitions load.

    Args:
        pattern: The regular expression as declared, `{date}` included.

    Returns:
        The same pattern.

    Raises:
        ValueError: If it does not compile, or holds an unknown placeholder.
    """
    check_placeholders("pattern", pattern)
    try:
        compile_pattern(pattern, dt.date(2000, 1, 1))
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from error
    return pattern


def check_placeholders(what: str, template: str) -> None:
    """Refuse a placeholder other than `{date}`.

    Raises:
        ValueError: There is one; the message names the nearest right one.
    """
    for name in _PLACEHOLDER.findall(template):
        if name != "date":
            raise ValueError(f"{what} {template!r} holds the unknown placeholder '{{{name}}}'; {hint(name, ['date'])}")


def substitute_date(template: str, day: dt.date) -> str:
    """Fill in the partition.

    >>> substitute_date("/logs/{date}/{date:%Y%m%d}.csv", dt.date(2026, 10, 1))
    '/logs/2026-10-01/20261001.csv'
    """
    return _DATE.sub(lambda match: day.strftime(match[1] or "%Y-%m-%d"), template)


def compile_pattern(pattern: str, day: dt.date) -> re.Pattern[str]:
    """Compile a declared pattern for one partition; the date is escaped, so that it matches itself alone."""
    return re.compile(_DATE.sub(lambda match: re.escape(day.strftime(match[1] or "%Y-%m-%d")), pattern))


def variables(template: str) -> tuple[str, ...]:
    """The environment variables that a template names, in order, once each."""
    return tuple(dict.fromkeys(_VARIABLE.findall(template)))


def without_credentials(url: str) -> str:
    """The address without the user and password that it may carry."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_NOT_IN_ADDRESSES = re.compile(r"[^\x21-\x7e]|[\"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})")


def canonical(url: str) -> str:
    """One spelling for all that RFC 3986 (6.2.2 and 6.2.3) holds equivalent, so that a file is landed once.

    Scheme and host in lower case, no default port, no fragment, what must be escaped escaped (as UTF-8), escapes in
    upper case, and none of what need not be.

    >>> canonical("HTTP://Shop.example:80/part 1/%c3%a9~%7e")
    'http://shop.example/part%201/%C3%A9~~'
    """
    escaped = _NOT_IN_ADDRESSES.sub(lambda match: quote(match[0], safe=""), url.strip())
    plain = _ESCAPE.sub(
        lambda match: chr(int(match[1], 16)) if chr(int(match[1], 16)) in _UNRESERVED else match[0].upper(), escaped
    )
    parts = urlsplit(plain)
    user, at, host = parts.netloc.rpartition("@")
    host = host.lower()
    default = f":{_DEFAULT_PORTS.get(parts.scheme)}"
    return urlunsplit(
        parts._replace(netloc=user + at + host.removesuffix(default), path=parts.path or "/", fragment="")
    )


def spellings(url: str) -> tuple[str, ...]:
    """The forms of a link in which a declared pattern may match it: as it stands, canonical, and without escapes."""
    one = canonical(url)
    return tuple(dict.fromkeys((url, one, unquote(one))))


def has_credentials(url: str) -> bool:
    """Whether an address holds a user or a password."""
    return "@" in urlsplit(url).netloc


@dataclass(frozen=True)
class Site:
    """A source's start template, expanded with the environment of this process.

    Attributes:
        template: The start address as declared.
        expanded: The same with variables filled in and without credentials; `{date}` still stands.
        authorization: The Authorization header for the start page's own origin, if the address held credentials.
        replacements: Pairs of what must not be shown and what stands for it, longest first.
    """

    template: str
    expanded: str = field(repr=False)
    authorization: str | None = field(repr=False)
    replacements: tuple[tuple[str, str], ...] = field(repr=False)

    def start(self, day: dt.date) -> str:
        """The address of the start page of a day."""
        return substitute_date(self.expanded, day)

    def show(self, text: str) -> str:
        """The text as people may read it: values of variables and credentials replaced."""
        # Before as well: an address of the site with credentials of its own is that of the variable without them.
        text = _CREDENTIALS.sub(r"\1", text)
        for secret, shown in self.replacements:
            text = text.replace(secret, shown)
        return _CREDENTIALS.sub(r"\1", text)

    @property
    def host_digest(self) -> str:
        """Tells hosts apart without naming them; the port is left out, as it changes with each start on loopback."""
        where = self.expanded if "://" not in self.expanded else urlsplit(self.expanded).hostname or ""
        return hashlib.sha256(where.encode()).hexdigest()[:16]

    def same_origin(self, url: str) -> bool:
        """Whether an address belongs to the start page's scheme, host and port (for credentials)."""
        return _origin(urlsplit(url)) == _origin(urlsplit(self.expanded))


def expand(template: str, environment: Mapping[str, str], *, source: str) -> Site:
    """Fill in the variables of a start address.

    Args:
        template: The start address as declared.
        environment: Where variables are looked up.
        source: The source's name, for the error.

    Returns:
        The expanded site.

    Raises:
        MissingVariableError: If a variable is not set or empty.
        ValueError: If the result is no http(s) address.
    """
    _require(template, environment, source=source)
    names = variables(template)
    url = _fill(template, environment)
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"Source {source!r} starts at {template!r}, which is no http(s) address once filled in.")
    replacements: dict[str, str] = {}
    for name in names:
        forms = []
        for value in (environment[name], environment[name].rstrip("/")):
            forms += [value, without_credentials(value)] if "://" in value else [value, quote(value, safe="")]
        replacements |= {form: f"${{{name}}}" for form in forms if len(form) >= _SHORTEST_SECRET}
    authorization = None
    if parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        authorization = f"Basic {token}"
        secrets = {password, parts.password or "", token}
        replacements |= {secret: "***" for secret in secrets if len(secret) >= _SHORTEST_SECRET}
    longest_first = tuple(sorted(replacements.items(), key=lambda pair: -len(pair[0])))
    return Site(template, without_credentials(url), authorization, longest_first)


def expand_folder(template: str, environment: Mapping[str, str], *, source: str) -> Site:
    """Fill in the variables of a folder's path or of an `s3://` prefix.

    Raises:
        MissingVariableError: If a variable is not set or empty.
        ValueError: If the result is a URI of another kind.
    """
    _require(template, environment, source=source)
    path = _fill(template, environment)
    if "://" in path and not path.startswith("s3://"):
        raise ValueError(
            f"Source {source!r} reads {template!r}, which is neither a folder nor an s3:// prefix once filled in."
        )
    shown = {environment[name].rstrip("/"): f"${{{name}}}" for name in variables(template)}
    longest_first = sorted(shown.items(), key=lambda pair: -len(pair[0]))
    return Site(template, path, None, tuple(pair for pair in longest_first if len(pair[0]) >= _SHORTEST_SECRET))


def _require(template: str, environment: Mapping[str, str], *, source: str) -> None:
    for name in variables(template):
        if not environment.get(name):
            raise MissingVariableError(
                f"Source {source!r} starts at {template!r}, but the variable {name} is not set; "
                f"export {name} (or put it in .env) and run again."
            )


def _fill(template: str, environment: Mapping[str, str]) -> str:
    # A trailing slash of the variable would double the one of the template.
    return _VARIABLE.sub(
        lambda match: (
            environment[match[1]].rstrip("/")
            if template[match.end() : match.end() + 1] == "/"
            else environment[match[1]]
        ),
        template,
    )


class Boundary:
    """The hosts that a crawl may ask, redirects included.

    Args:
        start: The expanded address of the start page.
        allowed_domains: As declared; None for the start page's own host and port.
    """

    def __init__(self, start: str, allowed_domains: tuple[str, ...] | None) -> None:
        parts = urlsplit(start)
        own_port = parts.port or _DEFAULT_PORTS[parts.scheme]
        self._ports = frozenset({own_port} | ({80, 443} if parts.port is None else set()))
        self._own_host = parts.hostname or ""
        self._declared = allowed_domains

    def __str__(self) -> str:
        return ", ".join(self._declared) if self._declared is not None else self._own_host

    def allows(self, url: str) -> bool:
        """Whether an address may be asked."""
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return False
        host = (parts.hostname or "").lower()
        if parts.scheme not in _DEFAULT_PORTS or not host:
            return False
        if self._declared is None:
            return host == self._own_host and port in self._ports
        return any(self._matches(entry.lower(), host, port) for entry in self._declared)

    def _matches(self, entry: str, host: str, port: int) -> bool:
        name, _, declared_port = entry.partition(":")
        if host != name and not host.endswith("." + name):
            return False
        return port == int(declared_port) if declared_port else port in self._ports | {80, 443}


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
