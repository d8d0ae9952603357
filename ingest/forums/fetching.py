"""Import the comments of a person or under a post into a JSON Lines file, which is then ingested like any other.

An import that stops (the site slows us down, the connection breaks, the program is killed) goes on where it stopped
when it is started again; one that had come to its end brings what is new and, where the site tells it, what was edited.
"""

from __future__ import annotations

import errno
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ingest.forums.client import ForumClient
from ingest.forums.output import CommentFile
from ingest.forums.rows import date_of, iso, left_out, row
from ingest.forums.sites import holds, post_of, user_of
from ingest.forums.walk import Page, Pass, Walk
from ingest.report import OnProgress, Progress
from ingest.sources.forum_magnum import nested
from rag.errors import ForumError
from rag.plain_text import printable
from rag.records import as_datetime

_CLOCKS_DIFFER = timedelta(minutes=10)
_PASSED_OVER = ("pageUrl",)
"""Fields that fail for ordinary reasons (a comment on a hidden post has no page)."""


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What an import did; `str()` gives the report that people read."""

    site: str
    what: str
    file: Path
    stored: int
    """Comments in the file."""
    new: int
    changed: int
    removed: int
    left_out: Mapping[str, int]
    """Comments that the site named but that are not for readers, by reason."""
    notes: tuple[str, ...]
    """What the reader should know about single comments or about the import."""
    stopped: str | None
    """Why it stopped early; None if everything that can be reached is there."""
    out_of_reach: str | None
    """What the site gives nobody, however often it is asked."""
    requests: int
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether everything is there."""
        return self.stopped is None and self.out_of_reach is None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain = {"file": str(self.file), "left_out": dict(self.left_out), "notes": list(self.notes)}
        return {**values, **plain, "seconds": round(self.seconds, 3), "complete": self.complete}

    def __str__(self) -> str:
        lines = [
            f"{self.site}, {self.what}: {self.stored:,} comments are in {self.file} (new {self.new:,}, "
            f"changed {self.changed:,}, removed {self.removed:,}; {self.requests:,} requests, {self.seconds:.1f} s)."
        ]
        if self.left_out:
            counted = ", ".join(f"{number:,} {reason}" for reason, number in self.left_out.items())
            lines.append(f"Left out: {counted}.")
        lines += self.notes
        if self.out_of_reach:
            lines.append(self.out_of_reach)
        if self.stopped:
            lines.append(f"Stopped early: {self.stopped}")
        return "\n".join(lines)


class _Target(NamedTuple):
    """Whose comments, and how to ask for them."""

    kind: str
    """user or post."""
    id: str
    file: str
    what: str
    post: Mapping[str, Any] | None = None


def fetch_user(
    client: ForumClient,
    name: str,
    *,
    out: Path,
    since: datetime | None = None,
    refresh: bool = False,
    progress: OnProgress = lambda event: None,
) -> FetchReport:
    """Import what a person wrote.

    Args:
        client: A connection to the site.
        name: As in the address of the profile, or that address, or the person's id.
        out: Folder for the file `<site>_<name>.jsonl`.
        since: Leave out older comments.
        refresh: Ask for everything anew and then replace the file: also karma and deletions are as they are now.
        progress: Told how many comments are there.

    Raises:
        ForumError: Nothing was done: the person is not known, or the site refuses.
    """
    before = client.requests
    wanted = user_of(name)
    if not holds(client.site, wanted.host):
        raise ForumError(
            f"{name} does not lead to {client.site.title}. Name its site, or give --host https://{wanted.host}."
        )
    user = _user(client, wanted.name)
    what = f"comments by {_shown(user.get('displayName') or user['slug'])}"
    target = _Target("user", user["_id"], f"{client.site.name}_{_plain(user['slug'])}.jsonl", what)
    return _Import(client, target, out, since, progress, before).run(refresh)


def fetch_post(
    client: ForumClient,
    link: str,
    *,
    out: Path,
    since: datetime | None = None,
    refresh: bool = False,
    progress: OnProgress = lambda event: None,
) -> FetchReport:
    """Import what stands under a post: comments, answers with their replies, parts of a debate. Not the post itself.

    Args:
        link: Address or id of the post. For the others see `fetch_user`; the file is `<site>_post_<id>.jsonl`.

    Raises:
        ForumError: Nothing was done: the post does not exist or is hidden, or the site refuses.
    """
    before, post = client.requests, post_of(link)
    if not holds(client.site, post.host):
        raise ForumError(
            f"{link} does not lead to {client.site.title}. Name its site, or give --host https://{post.host}."
        )
    id = post.id
    reply = client.query("post_by_id", lambda attempt: {"input": {"selector": {"_id": id}, "allowNull": True}})
    found = nested(nested(reply.data, "post"), "result")
    if not found or found.get("draft") or found.get("rejected"):
        raise ForumError(f"{client.site.title} has no public post with the id {id}. Check the link.")
    what = f'comments under "{_shown(found.get("title") or id)}"'
    target = _Target("post", id, f"{client.site.name}_post_{id}.jsonl", what, found)
    return _Import(client, target, out, since, progress, before).run(refresh)


def _user(client: ForumClient, name: str) -> Mapping[str, Any]:
    """Look a person up by name or id."""
    slug = re.sub(r"\s+", "-", name.strip())
    asked = [{"slug": slug}] + [{"slug": slug.lower()}] * (slug != slug.lower())
    if re.fullmatch("[A-Za-z0-9]{17}", name):
        asked.append({"userId": name})
    for terms in asked:
        full = {"view": "usersProfile", "limit": 1, **terms}
        reply = client.query("user_by_slug", lambda attempt, full=full: {"input": {"terms": full}})
        results = nested(reply.data, "users").get("results")
        for user in results if isinstance(results, list) else ():
            # A site that does not know the view any more would answer with anybody.
            if isinstance(user, Mapping) and any(term in _names(user) for term in terms.items()):
                return user
    raise ForumError(
        f'{client.site.title} knows no user "{name}". Give the name as it stands in the address of the profile: '
        f"{client.site.url}/users/<name>."
    )


def _names(user: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a person can be asked for by; nothing if it is none, as without an id."""
    id, slug, old = user.get("_id"), user.get("slug"), user.get("oldSlugs")
    if not (isinstance(id, str) and id and isinstance(slug, str) and slug):
        return []
    return [("userId", id), ("slug", slug), *(("slug", other) for other in (old if isinstance(old, list) else ()))]


def _shown(name: object) -> str:
    return " ".join(printable(str(name)).split())


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "user"


@dataclass
class _Import:
    """One run."""

    client: ForumClient
    target: _Target
    out: Path
    since: datetime | None
    progress: OnProgress
    requests: int
    """That the client had sent before."""
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    pages: int = 0

    def run(self, refresh: bool) -> FetchReport:
        started, stopped = time.monotonic(), None
        with CommentFile(self.out / self.target.file) as file:
            try:
                walk = self._start(file, refresh)
                if not file.state:
                    # Else nobody would know whose rows they are, if this run died on its first page.
                    self._save(file, walk)
            except OSError as exc:
                raise _unwritable(file, exc) from exc
            changes, stopped = self._fetch(file, walk)
            self._say_what_failed(file)
            return FetchReport(
                self.client.site.title, self.target.what, file.path, len(file), *changes, dict(self.left_out),
                tuple(self.notes), stopped, " ".join(walk.unreached) or None, self.client.requests - self.requests, time.monotonic() - started,
            )  # fmt: skip

    # --- where to begin ---

    def _start(self, file: CommentFile, refresh: bool) -> Walk:
        self._check(file, refresh)
        state = file.state if file.state and file.state in file else {}
        if file.state and not state and file.path.exists():
            self.notes.append("The file had lost rows that were in it: everything was asked for again.")
        known = as_datetime(state.get("since"))
        wider = bool(state) and known is not None and (self.since is None or self.since < known)
        if state and not wider and known != self.since:
            self.notes.append(f"The file keeps its older comments{f' since {known:%Y-%m-%d}' if known else ''}.")
            self.since = known
        passes = [Pass(**item) for item in state.get("passes", ())]
        go_on = bool(passes) and not wider and (not refresh or state["anew"])
        if go_on:
            anew = state["anew"]
        elif state and not (wider or refresh) and self.target.kind == "user" and state["newest"]:
            anew, passes = False, self._passes_of_an_update(state)
        else:
            anew, passes = bool(state) or file.path.exists(), self._passes_from_the_start(state)
        file.begin(anew=anew, go_on=go_on)
        self.state = {
            "site": self.client.site.name,
            "kind": self.target.kind,
            "id": self.target.id,
            "since": self.since.isoformat() if self.since else None,
            "walk": state.get("walk", self.client.site.walk),
            "newest": state.get("newest") if not anew or go_on else None,
            "begun": state["begun"] if go_on else _now().isoformat(),
            "checked": state.get("checked"),
            "deleted": state.get("deleted", {}) if not anew or go_on else {},
        }
        query = "comments_by_user" if self.target.kind == "user" else "comments_on_post"
        return Walk(self.client, query, {f"{self.target.kind}Id": self.target.id}, passes, go_on=go_on)

    def _check(self, file: CommentFile, refresh: bool) -> None:
        """Refuse to write into a file that holds something else."""
        state = file.state
        ours = (self.client.site.name, self.target.kind, self.target.id)
        if state and (state["site"], state["kind"], state["id"]) != ours:
            raise ForumError(f"{file.path} holds the comments of somebody else. Give another folder with --out.")
        if not state and file.path.exists() and not refresh:
            raise ForumError(
                f"{file.path} exists, but nothing says how far its import had come. "
                "Move it away, give another folder with --out, or have it replaced with --refresh."
            )

    def _passes_from_the_start(self, state: Mapping[str, Any]) -> list[Pass]:
        if self.target.kind == "post":
            return [Pass("old", view) for view in ("postCommentsOld", "answersAndReplies", "debateResponses")]
        since = iso(self.since)
        if state.get("walk", self.client.site.walk) == "date":
            return [Pass("date", "allRecentComments", after=since)]
        return [Pass("new", "allRecentComments", until=since) if since else Pass("old", "allRecentComments")]

    def _passes_of_an_update(self, state: Mapping[str, Any]) -> list[Pass]:
        if state["walk"] == "offset":
            return [Pass("new", "allRecentComments", until=state["newest"])]
        edited = as_datetime(state["checked"] or state["begun"]) - _CLOCKS_DIFFER
        return [
            Pass("date", "allRecentComments", after=state["newest"]),
            Pass("edited", "allRecentComments", after=iso(edited)),
        ]

    # --- page by page ---

    def _fetch(self, file: CommentFile, walk: Walk) -> tuple[Sequence[int], str | None]:
        try:
            for page in walk.pages():
                self._store(file, page)
                self.state["newest"] = self._newest(page)
                self.state["walk"] = "offset" if walk.by_offset else self.state["walk"]
                self._save(file, walk)
                self.pages += 1
                self.progress(Progress("fetching", len(file), len(file) + page.remaining, "comments"))
            changes = file.finish()
            file.save({**self.state, "checked": self.state["begun"], "anew": False, "passes": []})
        except (ForumError, OSError) as exc:
            if not self.pages:
                raise exc if isinstance(exc, ForumError) else _unwritable(file, exc) from exc
            return file.changes(), str(exc if isinstance(exc, ForumError) else _unwritable(file, exc))
        return changes, None

    def _save(self, file: CommentFile, walk: Walk) -> None:
        file.save({**self.state, "anew": file.anew, "passes": walk.state()})

    def _store(self, file: CommentFile, page: Page) -> None:
        rows, gone, seen = [], [], iso(_now())
        for comment in page.comments:
            posted = date_of(comment)
            if self.since and posted and posted < self.since:
                continue
            reason = left_out(comment, self.client.site)
            made = None if reason else row(comment, self.client.site, post=self.target.post)
            if made is not None and isinstance(made.get("id"), str):
                rows.append({**made, "seen_at": seen})
                continue
            self.left_out[reason or "without a text"] += 1
            if reason:
                # A text that is missing without a reason may have failed this once.
                gone.append(str(comment.get("_id")))
            if reason == "deleted":
                # Its place in the thread stays known, never its text.
                self.state["deleted"][str(comment.get("_id"))] = comment.get("parentCommentId")
        file.remove(gone)
        file.replace(rows) if page.edited else file.add(rows)
        for error in page.errors:
            name = error.partition(":")[0].rpartition(".")[2]
            if name not in _PASSED_OVER:
                self.failed[name] += 1

    def _newest(self, page: Page) -> str | None:
        # A date that is still to come would hide all that is posted until then from the next run.
        limit = _now() + timedelta(days=1)
        dates = [date for comment in page.comments if (date := date_of(comment)) and date < limit]
        known = as_datetime(self.state["newest"])
        return iso(max([*dates, *([known] if known else [])], default=None))

    def _say_what_failed(self, file: CommentFile) -> None:
        if file.anew and file.path.exists():
            self.notes.append(f"They are kept aside: {file.path} stays as it was until all are there.")
        for name, number in self.failed.items():
            what = f"{name or 'a field'} of {number:,} comments"
            self.notes.append(f"The site could not give {what}; the rest of them is there.")


def _unwritable(file: CommentFile, exc: OSError) -> ForumError:
    what = f"{exc.filename or file.path} cannot be written ({exc.strerror})"
    full = exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return ForumError(f"{what}. {'Make room' if full else 'Mend that'}, then run the same command again.")


def _now() -> datetime:
    return datetime.now(UTC)
