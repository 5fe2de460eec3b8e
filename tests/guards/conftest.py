"""Guards ask for thousands of pages, and look at what comes out alone."""

import logging
from collections.abc import Iterator

import pytest
from django.template.base import Template
from django.test.utils import _TestState


@pytest.fixture(autouse=True)
def _nothing_recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Render as the product does, without a copy of every template's context for `response.context`.

    Refusals, of which there are thousands, are not logged; errors are.
    """
    monkeypatch.setattr(Template, "_render", _TestState.saved_data.template_render)  # type: ignore[attr-defined]
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
