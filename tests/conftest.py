"""What every test stands on: the servers, quick settings, and a real browser."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.test import Client, TransactionTestCase
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from clinic_crm.embedded import joined
from tests.database import copy_from_template, empty_what_holds_rows
from tools.browser import WHAT_TO_INSTALL, find_chromium

CHROMIUM_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
)
_servers = ExitStack()
# A busy machine takes long over an example now and then; that says nothing of the code.
hypothesis.settings.register_profile("clinic", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("clinic")


def pytest_configure(config: pytest.Config) -> None:
    """Have PostgreSQL and Valkey while tests run; each pytest-xdist worker has its own databases in both."""
    _servers.enter_context(joined())
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):  # whoever runs tests itself
        copy_from_template()
    user_logged_in.connect(_note_beginning)
    TransactionTestCase._fixture_teardown = empty_what_holds_rows  # type: ignore[method-assign]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    url = settings.REDIS_URL.partition("?")[0]
    number = 1 + int(worker.removeprefix("gw")) % 15
    settings.REDIS_URL = f"{url}?db={number}"
    settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True  # the browser gets them uncollected
    settings.WHITENOISE_MAX_AGE = 3600  # once in each browser context
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    # What a test commits need not outlast a power cut.
    settings.DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off"


def pytest_collection_finish() -> None:
    """Take what is imported by now for permanent, and look for garbage less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _note_beginning(request: Any, **_facts: Any) -> None:
    """Give sessions made without signing in their beginning, as the first answer does; it saves tests a statement."""
    from accounts.devices import SEEN, STARTED

    if request.method is None:  # force_login's; whoever really signs in is left to the product
        request.session[STARTED] = request.session[SEEN] = time.time()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the servers go; the last process to leave stops them."""
    _servers.close()


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Any) -> None:
    """Keep uploaded files of one test out of the next, and out of var/."""
    settings.MEDIA_ROOT = tmp_path / "media"


def chromium_path() -> str:
    """Return the browser to drive; fails the test with what to install when there is none."""
    found = find_chromium()
    if not found:
        pytest.fail(WHAT_TO_INSTALL)
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the whole session. Tests mostly want `open_page`."""
    flags = [*CHROMIUM_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    path = chromium_path()
    # Playwright keeps an event loop on this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=20_000)  # milliseconds, where a test names none
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


def session_cookie(user: Any) -> str:
    """Return the value of a session cookie with which `user` is signed in."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def open_page(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Open a page in a browser context of its own: `open_page(user, viewport={"width": 390, "height": 844})`.

    Without a user nobody is signed in. `page.goto("/…")` takes paths. The test fails at its end if any page
    threw a script error or asked for something that the content security policy forbids.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opener(user: Any = None, **options: Any) -> Page:
        options = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "reduced_motion": "reduce"} | options
        context = browser.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        if user is not None:
            name, value = settings.SESSION_COOKIE_NAME, session_cookie(user)
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not faults, faults
