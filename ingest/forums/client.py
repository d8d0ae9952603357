"""Ask a forum's GraphQL: one request at a time, a pause between them, honest about who asks.

The only module of the project that reaches the internet. It goes to the site's own hosts and to public addresses only,
waits when it is told to, tries again what may pass (errors of the server, cut connections), and stops at a refusal.
"""

from __future__ import annotations

import json
import math
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ingest.forums.addresses import UnresolvedError, addresses
from ingest.forums.sites import Site
from rag.errors import ForumError

if TYPE_CHECKING:
    import ssl

    import httpx

PAUSE = 3.0
"""Seconds between two requests: the `Crawl-Delay` of all three sites."""
TRIES = 4
"""Of one request, where its failure may pass."""
LONGEST_WAIT = 120.0
"""Seconds that a site may ask us to wait; if it wants more, the import stops and can be resumed."""
LARGEST_REPLY = 64 * 2**20
"""Bytes."""
INFLATED = 2**16
"""Bytes that are inflated at a time, before they are counted."""
LONGEST_REPLY = 300.0
"""Seconds that one reply may take."""
REDIRECTS = 3
AGAIN = "Nothing that was fetched is lost: run the same command later to go on."
_GONE = (
    (re.compile(r"Cannot query field .(?P<name>\w+). on type .(?P<type>\w+)"), "field {type}.{name} is gone"),
    (re.compile(r"Unknown argument .(?P<name>\w+). on field .(?P<type>[\w.]+)"), "argument {name} of {type} is gone"),
    (re.compile(r"Unknown type .(?P<name>\w+)"), "type {name} is gone"),
    (re.compile(r"Field .(?P<name>\w+). is not defined by type .(?P<type>\w+)"), "field {type}.{name} is gone"),
)
_FINAL = {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT", "FORBIDDEN", "UNAUTHENTICATED"}
_TOLD = {
    "app.missing_document": "it does not exist",
    "app.operation_not_allowed": "it is a draft or hidden",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a query brought."""

    data: Mapping[str, Any]
    tries: int
    """1 if the first try succeeded."""
    errors: tuple[str, ...] = ()
    """Single fields that the site could not give; the rest of `data` is whole."""


class _PassingError(Exception):
    """A failure that may be gone at the next try; `wait` is how long the site asks us to wait first."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass
class ForumClient:
    """A connection to one site. Close it, or use it in `with`.

    Args:
        site: Whom to ask.
        pause: Seconds between the end of a request and the start of the next.
        allow_local: Also connect to addresses of the local network.
        on_wait: Told before a wait that is not the usual pause: how many seconds, and why.
        ssl_context: Certificates to trust; by default those that httpx trusts.
        sleep, clock: Replaceable, so that tests need not wait.
    """

    site: Site
    pause: float = PAUSE
    allow_local: bool = False
    on_wait: Callable[[float, str], None] = lambda seconds, reason: None
    ssl_context: ssl.SSLContext | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    requests: int = 0
    """Sent so far."""
    _endpoint: str = field(default="", init=False)
    _ended: float | None = field(default=None, init=False)
    _http: httpx.Client | None = field(default=None, init=False)

    def __enter__(self) -> ForumClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def query(self, name: str, variables: Callable[[int], Mapping[str, Any]]) -> Reply:
        """Ask one of the queries beside this module.

        Args:
            name: File name without ending.
            variables: Given the number of the try, counted from 1: a second try may ask for less.

        Raises:
            ForumError: The site refuses, throttles, is not reached after some tries, or has changed.
        """
        text = files("ingest.forums").joinpath("queries", f"{name}.graphql").read_text(encoding="utf-8")
        for attempt in range(1, TRIES + 1):
            body = {"query": text, "variables": variables(attempt), "operationName": name}
            try:
                data, errors = self._ask(name, json.dumps(body).encode())
                return Reply(data, attempt, errors)
            except _PassingError as exc:
                # Twice as long each time, so that a struggling server gets air.
                wait = max(exc.wait, self.pause * 2 ** (attempt - 1))
                if attempt == TRIES:
                    raise ForumError(f"{self.site.title} does not answer: {exc} ({TRIES} tries). {AGAIN}") from exc
                self._wait(wait, str(exc))
        raise AssertionError("unreachable")

    def _ask(self, name: str, body: bytes) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        if self._ended is not None and (rest := self._ended + self.pause - self.clock()) > 0:
            self.sleep(rest)
        try:
            status, headers, content = self._post(body)
        finally:
            self._ended = self.clock()
        return self._read(name, status, headers, content)

    def _wait(self, seconds: float, reason: str) -> None:
        if seconds > 0:
            self.on_wait(seconds, reason)
            self.sleep(seconds)

    # --- the request ---

    def _post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        url = self._endpoint or self.site.endpoint
        for _ in range(REDIRECTS + 1):
            status, headers, content = self._send(url, body)
            if status not in (301, 302, 303, 307, 308):
                # The rest of this run goes there at once: no second request for each question.
                self._endpoint = url
                return status, headers, content
            url = self._redirected(url, status, headers.get("location", ""))
        raise ForumError(f"{self.site.title} redirects in a circle (to {url}). {AGAIN}")

    def _redirected(self, url: str, status: int, location: str) -> str:
        """Where a redirect leads, if the same request may be sent there."""
        try:
            target = urljoin(url, location)
            old, new = urlsplit(url), urlsplit(target)
        except ValueError as exc:
            raise ForumError(f"{self.site.title} redirects to no address ({exc}). {AGAIN}") from exc
        allowed = {host.lower() for host in self.site.hosts} | {urlsplit(self.site.endpoint).netloc}
        if status not in (307, 308):
            raise ForumError(f"{self.site.title} redirects with {status} to {_line(target)}, which drops the question.")
        if new.netloc.lower() not in allowed or new.scheme != old.scheme:
            raise ForumError(
                f"{self.site.title} redirects to {_line(target)}, which is not one of its known hosts. "
                "It was not asked; if that is right, name it with --host."
            )
        return target

    def _send(self, url: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request to an address that was checked."""
        import httpx

        self.requests += 1
        try:
            parts = httpx.URL(url)
            host = parts.raw_host.decode("ascii")
            port = parts.port or {"https": 443}.get(parts.scheme, 80)
            numbers = addresses(host, port, allow_local=self.allow_local)
        except httpx.InvalidURL as exc:
            raise ForumError(f'"{_line(url)}" is no address ({exc}).') from exc
        except UnresolvedError as exc:
            raise _PassingError(f"the name {host} is not found ({exc})") from exc
        headers = {
            "Host": parts.netloc.decode("ascii"),
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": user_agent(),
        }
        failure: Exception | None = None
        for number in numbers:
            request = self._connection().build_request(
                "POST", parts.copy_with(host=number), content=body, headers=headers,
                extensions={"sni_hostname": host},
            )  # fmt: skip
            try:
                return self._receive(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                if "CERTIFICATE_VERIFY_FAILED" in str(exc):
                    raise ForumError(f"The certificate of {host} is not trusted ({exc}).") from exc
                failure = exc
            except httpx.TimeoutException as exc:
                raise _PassingError("no reply in time") from exc
            except httpx.HTTPError as exc:
                raise _PassingError(f"the connection was cut ({_line(str(exc)) or type(exc).__name__})") from exc
        raise _PassingError(f"no connection to {host} ({_line(str(failure))})") from failure

    def _receive(self, request: httpx.Request) -> tuple[int, Mapping[str, str], bytes]:
        response = self._connection().send(request, stream=True)
        started = self.clock()
        try:
            content = bytearray()
            for part in self._inflated(response):
                content += part
                if len(content) > LARGEST_REPLY:
                    raise ForumError(f"{self.site.title} sent more than {LARGEST_REPLY:,} bytes at once. {AGAIN}")
                if self.clock() - started > LONGEST_REPLY:
                    raise _PassingError(f"the reply took more than {LONGEST_REPLY:.0f} seconds")
        finally:
            response.close()
        return response.status_code, response.headers, bytes(content)

    def _inflated(self, response: httpx.Response) -> Iterator[bytes]:
        """The body in small parts: httpx inflates as much at once as came at once, to a thousand times its size."""
        packed = response.headers.get("content-encoding", "").strip().lower() or "identity"
        if packed == "identity":
            yield from response.iter_raw()
            return
        if packed != "gzip":
            raise ForumError(
                f'{self.site.title} sent data packed as "{_line(packed)}", which was not asked for. {AGAIN}'
            )
        inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            for part in response.iter_raw():
                while part:
                    yield inflater.decompress(part, INFLATED)
                    part = inflater.unconsumed_tail
            yield inflater.flush()
        except zlib.error as exc:
            raise _PassingError(f"the reply is damaged ({exc})") from exc

    def _connection(self) -> httpx.Client:
        import httpx

        if self._http is None:
            # Routes answer within two minutes or never (ForumMagnum `app/graphql/route.ts`, maxDuration).
            timeout = httpx.Timeout(130.0, connect=20.0)
            # Proxies would be connected to without a look at where they lead.
            self._http = httpx.Client(
                verify=self._certificates(), timeout=timeout, trust_env=False, follow_redirects=False
            )
        return self._http

    def _certificates(self) -> ssl.SSLContext:
        import ssl

        import httpx

        if self.ssl_context is not None:
            return self.ssl_context
        if not self.site.endpoint.startswith("https:"):
            # Reading the bundle takes a while; without it nothing is trusted.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            return httpx.create_ssl_context()
        except OSError as exc:
            raise ForumError(f"The trusted certificates cannot be read ({exc}). Check SSL_CERT_FILE.") from exc

    # --- the reply ---

    def _read(
        self, name: str, status: int, headers: Mapping[str, str], content: bytes
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """Tell what came: data, something to wait for, or the end."""
        title = self.site.title
        if status == 429:
            self._throttled(headers)
        if status in (401, 403):
            raise ForumError(f"{title} refuses to answer programs at the moment (status {status}). {AGAIN}")
        if status >= 500 or status in (408, 425):
            raise _PassingError(f"status {status}", self._asked_wait(headers) or 0.0)
        reply = _parsed(content)
        if reply is None:
            if content.lstrip()[:1] == b"<" or "html" in headers.get("content-type", ""):
                what = "a web page in place of data, perhaps a check whether we are human"
                raise ForumError(f"{title} sent {what} (status {status}). {AGAIN}")
            if status == 200:
                raise _PassingError("the reply broke off")
            raise ForumError(f"{title} has no GraphQL at {self.site.endpoint} (status {status}). Check the address.")
        data, errors = reply.get("data"), _errors(reply)
        if isinstance(data, Mapping) and any(value is not None for value in data.values()):
            return data, tuple(f"{'.'.join(error.path)}: {error.text}" for error in errors)
        self._refused(name, status, errors)
        if not isinstance(data, Mapping):
            raise _PassingError("the reply holds no data")
        return data, ()

    def _throttled(self, headers: Mapping[str, str]) -> None:
        wait = self._asked_wait(headers)
        if wait is None:
            raise ForumError(f"{self.site.title} asks us to slow down (status 429). {AGAIN}")
        raise _PassingError("the site asks us to slow down (status 429)", wait)

    def _asked_wait(self, headers: Mapping[str, str]) -> float | None:
        """Seconds from `Retry-After`, if it is there and not too long.

        Raises:
            ForumError: It is too long to wait for.
        """
        seconds = _retry_after(headers.get("retry-after"))
        if seconds is not None and seconds > LONGEST_WAIT:
            until = datetime.now(UTC) + timedelta(seconds=min(seconds, 10**8))
            raise ForumError(
                f"{self.site.title} asks us to come back after {until:%Y-%m-%d %H:%M} UTC. "
                "Nothing that was fetched is lost: run the same command then to go on."
            )
        return seconds

    def _refused(self, name: str, status: int, errors: list[_Error]) -> None:
        """Raise what an answer without data means; nothing is wrong if it has no errors either."""
        gone = [place for error in errors if (place := _gone(error.text))]
        if gone:
            raise ForumError(
                f"The site's schema has changed: {', '.join(dict.fromkeys(gone))} (query {name}.graphql). "
                f"Update commentariat; {AGAIN[0].lower()}{AGAIN[1:]}"
            )
        if not errors:
            if status == 200:
                return
            raise ForumError(f"{self.site.title} gave status {status} and no data (query {name}.graphql). {AGAIN}")
        first = errors[0].text
        if first in _TOLD:
            raise ForumError(f"{self.site.title} does not give it: {_TOLD[first]} ({first}).")
        if status == 200 and not errors[0].final:
            raise _PassingError(f'the site failed with "{first}"')
        raise ForumError(f'{self.site.title} refuses query {name}.graphql: "{first}". {AGAIN}')


@dataclass(frozen=True, slots=True)
class _Error:
    text: str
    path: tuple[str, ...]
    final: bool
    """Whether asking again cannot help."""


def user_agent() -> str:
    """What we call ourselves: never a browser, never another program."""
    try:
        number = version("commentariat")
    except PackageNotFoundError:
        number = "dev"
    return f"commentariat/{number} (import of public comments; one request at a time)"


def _parsed(content: bytes) -> Mapping[str, Any] | None:
    try:
        # Python would write NaN and Infinity into our file again, where no other program can read them.
        reply = json.loads(content, parse_constant=lambda name: None, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return reply if isinstance(reply, Mapping) else None


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


def _errors(reply: Mapping[str, Any]) -> list[_Error]:
    """The errors of a reply, each on one line: the sites add stack traces and whole queries."""
    found = []
    listed = reply.get("errors")
    for error in listed if isinstance(listed, list) else ():
        error = error if isinstance(error, Mapping) else {"message": str(error)}
        extensions = error.get("extensions")
        code = extensions.get("code") if isinstance(extensions, Mapping) else None
        text = _line(str(error.get("message") or code or "unknown error"))
        path = error.get("path")
        final = code in _FINAL or text.startswith("app.") or "maximum value for skip" in text
        found.append(_Error(text, tuple(map(str, path)) if isinstance(path, list) else (), final))
    return found


def _gone(text: str) -> str | None:
    for pattern, meaning in _GONE:
        if match := pattern.search(text):
            return meaning.format(**match.groupdict())
    return None


def _retry_after(value: str | None) -> float | None:
    if not value:
        return None
    try:
        return float(value) if re.fullmatch(r"\d+(\.\d+)?", value.strip()) else _until(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _until(value: str) -> float:
    moment = parsedate_to_datetime(value)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _line(text: str) -> str:
    """The first line of what somebody else wrote, printable and short."""
    first = text.strip().split("\n", 1)[0]
    line = "".join(sign if sign.isprintable() else " " for sign in first)
    return f"{line[:197]}..." if len(line) > 200 else line
