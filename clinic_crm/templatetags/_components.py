"""Components at a fraction of django-cotton's price: what a component needs is found once, not at each rendering.

A page holds about seventy components. The package looks up each one's template anew, renders each attribute as a
template of its own and tries each default as a variable first; here the template and the defaults are kept, since
ours are constants. What comes out is the same. A component that declares another kind of default, or is used in one
of the rarer ways, is left to the package.
"""

import ast
from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.template import NodeList
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString
from django_cotton.templatetags import Attrs, UnprocessableDynamicAttr
from django_cotton.templatetags._component import AttrKind, CottonComponentNode, PreparedValue, cotton_component
from django_cotton.templatetags._vars import CottonVarsNode

Told = Callable[[Context], Any]
CONSTANTS: dict[str, Any] = {"True": True, "False": False, "None": None, "[]": []}
RENDERED: dict[str, Any] = {"True": True, "False": False, "None": None, "": ""}


class Part:
    """A component's template: what it prints, its defaults, and which names it does not pass on."""

    def __init__(self, template: Any) -> None:
        declared = [node for node in template.nodelist if isinstance(node, CottonVarsNode)]
        found = [var for node in declared for var in node._prepared_vars]
        self.nodes = NodeList([node for node in template.nodelist if not isinstance(node, CottonVarsNode)])
        self.own = {"is", *(name for node in declared for name in node.empty_vars), *(var.exclude_key for var in found)}
        self.is_plain = all(var.kind == AttrKind.STATIC or var.value in CONSTANTS for var in found)
        self.defaults = {
            var.accessible_key: CONSTANTS[var.value] if var.kind != AttrKind.STATIC else var.value
            for var in found
            if self.is_plain
        }
        self.by_slot = {var.exclude_key: var.accessible_key for var in found if var.exclude_key != var.accessible_key}


class ComponentNode(CottonComponentNode):  # type: ignore[misc]
    """A use of a component."""

    def __init__(self, node: CottonComponentNode) -> None:
        super().__init__(node.component_name, node.nodelist, node.attrs, node.only, node.active_library)
        prepared = [(attr, _told(attr)) for attr in self._prepared_attrs]
        self.fixed = {attr.key: attr.value for attr, told in prepared if told is None}
        self.told = [(attr.key, told) for attr, told in prepared if told is not None]
        self.names = {attr.key: attr.key.replace("-", "_") for attr in self._prepared_attrs}
        self.is_usual = not self.only and self.component_name != "component" and "attrs" not in self.names

    @cached_property
    def part(self) -> Part:
        """The component's template, looked up when it is first used: a component may hold itself."""
        path = self._candidate_template_paths(self.component_name, None)[0]
        return Part(get_template(path).template)  # type: ignore[attr-defined]

    def render(self, context: Context) -> Any:
        if not (self.is_usual and self.part.is_plain):
            return super().render(context)
        data: Any = context.get("cotton_data")
        if data is None:
            data = context.dicts[0]["cotton_data"] = {"stack": [], "vars": {}}
        attrs = Attrs(self._values(context))
        slots: dict[str, Any] = {}
        attrs._exclude_from_str = self.part.own
        data["stack"].append({"key": self.component_name, "attrs": attrs, "slots": slots})
        state = dict(self.part.defaults)
        content = self.nodelist.render(context)
        for name in slots:
            if name in self.part.by_slot:
                state.pop(self.part.by_slot[name], None)
        state.update(slots)
        state.update((self.names[name], value) for name, value in attrs.items())
        state |= {"attrs": attrs, "slot": content, "cotton_data": data}
        context.dicts.append(state)
        try:
            return self.part.nodes.render(context)
        finally:
            context.dicts.pop()
            data["stack"].pop()

    def _values(self, context: Context) -> dict[str, Any]:
        if not self.told:
            return dict(self.fixed)
        values = {name: self.fixed.get(name) for name in self.names}  # their order is that of writing
        for name, told in self.told:
            try:
                values[name] = told(context)
            except UnprocessableDynamicAttr:
                del values[name]  # no value here: the default stands
        return values


def _told(attr: Any) -> Told | None:
    """Return how an attribute's value is found at each rendering, None where it is always the same."""
    if attr.kind == AttrKind.DYNAMIC:
        return _dynamic(attr.compiled)
    if attr.kind == AttrKind.UNQUOTED:
        return _unquoted(attr.compiled, attr.value)
    if attr.compiled is None:
        return None
    nodes: NodeList = attr.compiled.nodelist
    if len(nodes) > 1:
        several: Told = nodes.render
        return several
    one: Told = nodes[0].render_annotated
    return lambda context: SafeString(one(context))  # what a template renders is escaped already


def _dynamic(prepared: PreparedValue) -> Told:
    """Return how `:name="…"` is found: what a little template renders means a literal, a variable is itself."""
    if prepared._template is None or "{" not in prepared.raw[:1]:
        resolve: Told = prepared.resolve
        return resolve
    nodes = prepared._template.nodelist
    return lambda context: _meant(nodes.render(context))


def _unquoted(prepared: PreparedValue, text: str) -> Told:
    inner = _dynamic(prepared)

    def or_itself(context: Context) -> Any:
        try:
            return inner(context)
        except UnprocessableDynamicAttr:
            return text

    return or_itself


def _meant(text: str) -> Any:
    if text in RENDERED:
        return RENDERED[text]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def component(parser: Parser, token: Token) -> ComponentNode:
    """Parse a component as the package does."""
    return ComponentNode(cotton_component(parser, token))
