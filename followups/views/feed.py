"""The calendar feed behind a secret link, and where a person makes and revokes theirs."""

import hashlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import StaffRequest, public, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from followups.feeds import calendar_of
from followups.services.feeds import entries_of, feed_of, live_feed, make_feed, note_read, revoke_feed


@public("calendar programs cannot sign in; the secret link is the key, and no names or phones are behind it")
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """One person's appointments in one clinic, as iCalendar; a link that was revoked answers 404."""
    feed = feed_of(token)
    if feed is None:
        raise Http404
    now = timezone.now()
    with translation.override(feed.user.language or "zh-hans"):
        entries = entries_of(feed, now)
        body = calendar_of(entries, name=f"{feed.clinic.name} · {feed.user}", code=feed.clinic.code)
    note_read(feed, now)
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = 'inline; filename="appointments.ics"'
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    changed = max((entry.changed_at for entry in entries), default=feed.created_at)
    response["ETag"] = etag
    # No If-Modified-Since without a tag: what leaves the feed changes no entry's time.
    answer = get_conditional_response(request, etag=etag, response=response)
    answered: HttpResponse = answer if isinstance(answer, HttpResponse) else response
    answered["Last-Modified"] = changed.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return answered


@requires(Permission.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def my_calendar(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """One's own feed in this clinic; POST makes a link, shown this once, and the former one stops."""
    link = ""
    if request.method == "POST":
        token = make_feed(user=request.user, clinic=clinic, by=request.user)
        link = request.build_absolute_uri(reverse("calendar_feed", args=[token]))
    context = {"feed": live_feed(request.user, clinic), "link": link, "clinic": clinic}
    return render(request, "followups/feed.html", context)


@requires(Permission.SIGNED_IN)
@require_POST
def my_calendar_revoke(request: StaffRequest, clinic: Clinic) -> HttpResponse:
    """Stop one's own link."""
    if revoke_feed(user=request.user, clinic=clinic, by=request.user):
        messages.success(request, _("The link no longer works."))
    return redirect("my_calendar")
