"""Who stands at which window and held which post when (在岗)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from zhengwu.accounts.models import Post, PostHolding


@dataclass(frozen=True, slots=True)
class WindowPosts:
    """A window with the posts that serve it (窗口与岗位)."""

    hall: str
    window: str
    agency: str
    agency_name: str
    posts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """Somebody on a post: A or B."""

    person: str
    name: str
    post: str
    part: str


def windows(*, agencies: Iterable[str] = (), halls: Iterable[str] = ()) -> tuple[WindowPosts, ...]:
    """The windows of these agencies, or in these halls, in their order."""
    found: dict[tuple[str, str], list[Post]] = {}
    posts = Post.objects.filter(Q(agency__in=set(agencies)) | Q(hall__in=set(halls)))
    for post in posts.exclude(window="").select_related("agency").order_by("hall", "window", "pk"):
        found.setdefault((post.hall, post.window), []).append(post)
    return tuple(
        WindowPosts(hall, window, own[0].agency_id, own[0].agency.name, tuple(p.code for p in own))
        for (hall, window), own in found.items()
    )


def holders(posts: Iterable[str], *, since: datetime, until: datetime) -> tuple[Holding, ...]:
    """Who held one of these posts at any moment from `since` to before `until`; A before B."""
    held = PostHolding.objects.filter(
        Q(until__isnull=True) | Q(until__gt=since), post__in=set(posts), since__lt=until
    )
    return tuple(
        Holding(h.person.code, h.person.name, h.post_id, h.part)
        for h in held.select_related("person").order_by("post_id", "part", "id")
    )


def vacant_of(agencies: Iterable[str], *, at: datetime) -> frozenset[str]:
    """The posts of these agencies on which nobody active is at this moment (空岗)."""
    asked = set(Post.objects.filter(agency__in=set(agencies)).values_list("code", flat=True))
    held = PostHolding.objects.filter(
        Q(until__isnull=True) | Q(until__gt=at),
        post__in=asked,
        since__lte=at,
        person__is_active=True,
    )
    return frozenset(asked - set(held.values_list("post_id", flat=True)))


def post_names(posts: Iterable[str]) -> dict[str, str]:
    """The names of these posts."""
    return dict(Post.objects.filter(code__in=set(posts)).values_list("code", "name"))


def post_windows(posts: Iterable[str]) -> dict[str, str]:
    """The window number of each of these posts that stands at a window."""
    found = Post.objects.filter(code__in=set(posts)).exclude(window="")
    return dict(found.values_list("code", "window"))
