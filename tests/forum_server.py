"""A small forum that speaks ForumMagnum's GraphQL over real HTTP, and can be told to misbehave.

Views, limits, totals and errors are those of ForumMagnum: `lib/collections/comments/views.ts`, `lib/utils/viewUtils.ts`,
`server/resolvers/defaultResolvers.ts`. Queries are validated against the schemas in `tests/data`. All comments are invented.
"""

from __future__ import annotations

import functools
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_schema, execute_sync, parse, validate

DATA = Path(__file__).parent / "data"
START = datetime(2024, 1, 1, tzinfo=UTC)
LARGEST_PAGE = 5000


@dataclass(frozen=True)
class Fault:
    """What one request gets in place of its answer."""

    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    """Send the true answer, but only so many bytes of it, and close the connection."""


@dataclass
class Request:
    """What the server was sent."""

    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def terms(self) -> dict[str, Any]:
        return self.body["variables"]["input"].get("terms", {})


class Forum:
    """People, posts and comments, and the rules by which they are shown.

    Args:
        dialect: "lesswrong" or "eaforum": which schema, and whether comments can be asked by date.
        without: Lines that are taken out of the schema.
        alignment: Whether this is the Alignment Forum, which shows its own comments only.
    """

    def __init__(self, dialect: str = "lesswrong", *, without: str = "", alignment: bool = False, farthest: int = 2000):
        self.schema = _schema(dialect, without)
        self.by_date = dialect == "lesswrong"
        self.alignment = alignment
        self.farthest = farthest
        self.users: dict[str, dict[str, Any]] = {}
        self.posts: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, dict[str, Any]] = {}
        self._numbers = count()

    def add_user(self, slug: str, **fields: Any) -> dict[str, Any]:
        user = {"_id": _id("u", len(self.users)), "slug": slug, "oldSlugs": [], "username": slug, "deleted": False}
        user |= {"displayName": slug.title().replace("-", " "), "fullName": None, **fields}
        self.users[user["_id"]] = user
        return user

    def add_post(self, slug: str, **fields: Any) -> dict[str, Any]:
        post = {"_id": _id("p", len(self.posts)), "slug": slug, "title": slug.title().replace("-", " ")}
        post |= {"draft": False, "rejected": False, **fields}
        self.posts[post["_id"]] = post
        return post

    def add(
        self, user: Mapping[str, Any], post: Mapping[str, Any] | None, text: str = "", **fields: Any
    ) -> dict[str, Any]:
        """Add a comment, an hour after the last one unless `postedAt` says otherwise."""
        number = next(self._numbers)
        posted = fields.pop("postedAt", None) or _iso(START + timedelta(hours=number))
        text = text or f"Remark {number} on tides."
        comment = {
            "_id": _id("c", number), "postedAt": posted, "lastEditedAt": posted, "userId": user["_id"], "author": "old name",
            "postId": post["_id"] if post else None, "contents": {"markdown": text, "html": f"<p>{text}</p>"},
            "baseScore": 3, "voteCount": 2,
            **dict.fromkeys(("hideAuthor", "af", "answer", "retracted", "moderatorHat", "deleted", "deletedPublic",
                             "rejected", "draft", "spam", "authorIsUnreviewed", "shortform", "isBookmarked"), False),
            **fields,
        }  # fmt: skip
        self.comments[comment["_id"]] = comment
        return comment

    # --- answering ---

    def answer(self, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Execute a query; as Apollo does, 400 for what the schema does not allow."""
        document, errors = _checked(self.schema, body["query"])
        if errors:
            return 400, {"errors": [_error(error, "GRAPHQL_VALIDATION_FAILED") for error in errors]}
        root = {"comments": self._comments, "users": self._users, "post": self._post}
        result = execute_sync(
            self.schema, document, root, variable_values=body["variables"], context_value=body["variables"]
        )
        if result.data is None and result.errors and not any(error.path for error in result.errors):
            return 400, {"errors": [_error(error, "BAD_USER_INPUT") for error in result.errors]}
        reply: dict[str, Any] = {"data": result.data}
        if result.errors:
            reply["errors"] = [_error(error, "INTERNAL_SERVER_ERROR") for error in result.errors]
        return 200, reply

    def _users(self, info: Any, input: Mapping[str, Any]) -> dict[str, Any]:
        terms = input["terms"]
        found = list(self.users.values())
        if terms.get("view") == "usersProfile":
            found = [
                user for user in found
                if (user["_id"] == terms["userId"] if terms.get("userId")
                    else terms.get("slug") in (user["slug"], *user["oldSlugs"]))
            ]  # fmt: skip
        return {"results": found[: terms.get("limit")]}

    def _post(self, info: Any, input: Mapping[str, Any]) -> dict[str, Any]:
        post = self.posts.get(input["selector"]["_id"])
        if post is None and not input.get("allowNull"):
            raise GraphQLError("app.missing_document")
        if post is not None and post["draft"]:
            raise GraphQLError("app.operation_not_allowed")
        return {"result": post}

    def _comments(self, info: Any, input: Mapping[str, Any]) -> dict[str, Any]:
        terms = input["terms"]
        others = {name: value for name, value in info.context.items() if name != "input"}
        if any(name in terms and terms[name] != value for name, value in others.items()):
            raise GraphQLError("app.conflicting_term_and_resolver_arg_keys")
        if terms.get("offset", 0) > self.farthest:
            raise GraphQLError("Exceeded maximum value for skip")
        found = [comment for comment in self.comments.values() if self._shown(comment, terms)]
        limit = terms.get("limit") or (5 if terms.get("view") == "allRecentComments" else LARGEST_PAGE)
        limit = limit if 1 <= limit <= LARGEST_PAGE else LARGEST_PAGE
        page = self._sorted(found, terms)[terms.get("offset", 0) :][:limit]
        # Access is looked at after the limit: a page may come out shorter.
        results = [self._seen(comment) for comment in page if not comment.get("hidden")]
        total = len(found) if len(page) >= limit else len(results)
        return {"results": results, "totalCount": total if input.get("enableTotal") else None}

    def _shown(self, comment: Mapping[str, Any], terms: Mapping[str, Any]) -> bool:
        view, debate = terms.get("view"), bool(comment.get("debateResponse"))
        if comment["rejected"] or comment["draft"] or debate != (view == "debateResponses"):
            return False
        if (comment["deleted"] and not comment["deletedPublic"]) or (self.alignment and not comment["af"]):
            return False
        if comment["authorIsUnreviewed"] and self.by_date and comment["postedAt"] >= "2023-04-04":
            return False
        if terms.get("userId") and (comment["userId"] != terms["userId"] or comment["hideAuthor"]):
            return False
        if view == "allRecentComments":
            value = comment[terms.get("timeField", "postedAt")]
            return not comment["deletedPublic"] and not (self.by_date and value < terms.get("after", ""))
        below_answer = comment["answer"] or bool(comment.get("parentAnswerId"))
        if view in ("postCommentsOld", "postCommentsNew", "answersAndReplies"):
            return comment["postId"] == terms.get("postId") and below_answer == (view == "answersAndReplies")
        return view != "debateResponses" or comment["postId"] == terms.get("postId")

    @staticmethod
    def _sorted(comments: list[dict[str, Any]], terms: Mapping[str, Any]) -> list[dict[str, Any]]:
        view, order = terms.get("view"), terms.get("sortBy")
        ascending = view in ("postCommentsOld", "debateResponses") or (
            view in ("allRecentComments", "answersAndReplies") and order == "old"
        )
        comments = sorted(comments, key=lambda comment: comment["_id"], reverse=True)
        comments.sort(key=lambda comment: comment["postedAt"], reverse=not ascending)
        if view in ("postCommentsOld", "postCommentsNew"):
            comments.sort(key=lambda comment: comment["deleted"])
        return comments

    def _seen(self, comment: Mapping[str, Any]) -> dict[str, Any]:
        """A comment with what belongs to it, as a visitor may see it."""
        user, post = self.users.get(comment["userId"]), self.posts.get(comment["postId"] or "")
        post = None if post is None or post["draft"] else post
        shown = {**comment, "user": None if user is None or user["deleted"] else user, "post": post}
        if comment["deleted"]:
            shown |= {"contents": None, "author": None}
        if "pageUrl" not in comment:
            url = f"https://example.org/posts/{post['_id']}?commentId={comment['_id']}" if post else None
            shown["pageUrl"] = url or GraphQLError("Unable to find document\n    at stack trace")
        return shown


class ForumServer:
    """A forum on a port of this machine.

    Attributes:
        requests: What came, in order.
        faults: Number of a request, counted from 0 -> what it gets in place of its answer.
        together: The largest number of requests that were answered at the same time.
    """

    def __init__(self, forum: Forum, port: int, scheme: str) -> None:
        self.forum = forum
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.requests: list[Request] = []
        self.faults: dict[int, Fault] = {}
        self.together = self._now = 0
        self._lock = threading.Lock()

    def next(self, *faults: Fault | None) -> None:
        """Set what the next requests get; None for the true answer."""
        for number, fault in enumerate(faults, start=len(self.requests)):
            if fault is not None:
                self.faults[number] = fault

    def pages(self) -> list[dict[str, Any]]:
        """The terms of all requests for comments."""
        return [request.terms for request in self.requests if request.body["operationName"].startswith("comments")]

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self._lock:
            number = len(self.requests)
            self.requests.append(Request(dict(handler.headers), body))
            self._now += 1
            self.together = max(self.together, self._now)
        try:
            fault = self.faults.get(number)
            if fault is None or fault.cut is not None:
                status, reply = self.forum.answer(body)
                self._send(
                    handler, status, json.dumps(reply), {"Content-Type": "application/json"}, fault and fault.cut
                )
            else:
                self._send(handler, fault.status, fault.body, fault.headers)
        finally:
            with self._lock:
                self._now -= 1

    @staticmethod
    def _send(
        handler: BaseHTTPRequestHandler,
        status: int,
        body: str | bytes,
        headers: Mapping[str, str],
        cut: int | None = None,
    ) -> None:
        data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data if cut is None else data[:cut])
        handler.wfile.flush()
        if cut is not None:
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True


@contextmanager
def serving(forum: Forum, *, certificate: ssl.SSLContext | None = None) -> Iterator[ForumServer]:
    """Run a forum on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            server.handle(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as http:
        if certificate is not None:
            http.socket = certificate.wrap_socket(http.socket, server_side=True)
        server = ForumServer(forum, http.server_address[1], "https" if certificate else "http")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


# The same few schemas and queries are used again and again, and reading them takes longer than answering.
@functools.cache
def _schema(dialect: str, without: str) -> GraphQLSchema:
    text = (DATA / f"forum_{dialect}.graphql").read_text(encoding="utf-8")
    assert without in text
    return build_schema("\n".join(line for line in text.split("\n") if not without or line.strip() != without))


@functools.cache
def _checked(schema: GraphQLSchema, query: str) -> tuple[DocumentNode, Sequence[GraphQLError]]:
    document = parse(query)
    return document, validate(schema, document)


def _id(kind: str, number: int) -> str:
    return f"{kind}{number:016d}"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(error: GraphQLError, code: str) -> dict[str, Any]:
    """As Apollo writes it, with the stack trace that LessWrong adds."""
    trace = [f"GraphQLError: {error.message}", "    at resolve (/app/server/resolvers.js:1:1)"]
    said: dict[str, Any] = {"message": error.message, "extensions": {"code": code, "stacktrace": trace}}
    if error.path:
        said["path"] = error.path
    return said
