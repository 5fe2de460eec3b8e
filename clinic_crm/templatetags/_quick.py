"""Words and links at a fraction of Django's price: a page prints each of them by the hundred.

What `translate` prints for words that stand in the template depends on the language alone. What `url` prints for a
name and whole numbers is always the same but for the numbers. Everything else is left to Django.
"""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template import Node
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as parse_url
from django.templatetags.i18n import TranslateNode, do_translate
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import conditional_escape
from django.utils.translation import get_language

MARK = 7_354_001_900_000  # stands for the first number of an address; the next one for the second, and so on


class WordsNode(Node):
    """Words of the template in the reader's language."""

    child_nodelists = ()

    def __init__(self, node: TranslateNode) -> None:
        self.node = node
        self.asvar = node.asvar
        self.known: dict[str | None, Any] = {}
        node.asvar = None

    def render(self, context: Context) -> Any:
        language = get_language()
        words = self.known.get(language)
        if words is None:
            words = self.known[language] = self.node.render(context)
        if self.asvar is None:
            return words
        context[self.asvar] = words
        return ""


def _stands(expression: FilterExpression | None) -> bool:
    return expression is None or (not expression.is_var and not expression.filters)


def translate(parser: Parser, token: Token) -> Node:
    """Parse {% translate %} as Django does."""
    node: TranslateNode = do_translate(parser, token)
    expression = node.filter_expression
    is_text = expression.var.lookups is None and not expression.filters and not node.noop
    return WordsNode(node) if is_text and _stands(node.message_context) else node


@lru_cache(maxsize=4096)
def _around(name: str, count: int, urlconf: str, prefix: str) -> tuple[str, ...]:
    """Return what stands before, between and behind the numbers of an address."""
    marks = [MARK + place for place in range(count)]
    rest, parts = str(conditional_escape(reverse(name, args=marks))), []
    for mark in marks:
        before, rest = rest.split(str(mark))
        parts.append(before)
    return (*parts, rest)


def address(name: str, *numbers: int) -> str:
    """Return the address of a page by its URL name and numbers, fit for HTML."""
    before, *rest = _around(name, len(numbers), get_urlconf() or settings.ROOT_URLCONF, get_script_prefix())
    if not numbers:
        return before
    if len(numbers) == 1:
        return f"{before}{numbers[0]}{rest[0]}"
    return before + "".join(f"{number}{part}" for number, part in zip(numbers, rest, strict=True))


class AddressNode(URLNode):  # type: ignore[misc]
    """The address of a page whose name stands in the template."""

    def __init__(self, node: URLNode) -> None:
        super().__init__(node.view_name, node.args, node.kwargs, node.asvar)
        self.name: str = node.view_name.var

    def render(self, context: Context) -> Any:
        numbers = [argument.resolve(context) for argument in self.args]
        if self.asvar is not None or any(type(number) is not int or number < 0 for number in numbers):
            return super().render(context)
        return address(self.name, *numbers)


def url(parser: Parser, token: Token) -> Node:
    """Parse {% url %} as Django does."""
    node = parse_url(parser, token)
    is_named = isinstance(node.view_name.var, str) and not node.view_name.filters and ":" not in node.view_name.var
    return AddressNode(node) if is_named and not node.kwargs else node
