"""What people type who want a page, a spreadsheet or a template to do something for them.

Each is alive when, somewhere in what comes out, it is more than words: see `alive_in_page` and `alive_in_cell`.
"""

import re
from html.parser import HTMLParser

NAME = "xssq"  # of the elements, attributes and handlers that must not come to be
PAYLOADS = (
    # elements
    f"<{NAME}>",
    f"</p><{NAME} a=1>",
    f"<script>{NAME}()</script>",
    f"<scr<script>ipt>{NAME}()</scr</script>ipt>",  # lives where tags are cut out
    f"</script><script>{NAME}()</script>",
    f"</textarea><{NAME}>",
    f"</title><{NAME}>",
    f"</template><{NAME}>",
    f"--><{NAME}><!--",
    f"]]><{NAME}>",
    f"<img src=x onerror={NAME}()>",
    f"<svg/onload={NAME}()>",
    f"<iframe srcdoc='<{NAME}>'>",
    f"<a href=javascript:{NAME}()>x</a>",
    f"＜{NAME}＞<{NAME}/>",
    # attributes
    f'" {NAME}=1 x="',
    f"' {NAME}=1 x='",
    f'"><{NAME}>',
    f"'><{NAME}>",
    f'" onfocus={NAME}() autofocus x="',
    f"`{NAME}=1",
    # templates and scripts
    f"{{{{ 7919|add:1 }}}}{NAME}",
    f"{{% now 'Y' %}}{NAME}",
    f"${{{NAME}}}",
    f"\\u003c{NAME}\\u003e",
    f"&lt;{NAME}&gt;",
    # spreadsheets
    f'=HYPERLINK("http://x";"{NAME}")',
    f"+cmd|' /C {NAME}'!A0",
    f"-2+3+{NAME}",
    f"@SUM(1+1)*{NAME}",
    f"\t=1+{NAME}",
    f"＝1+{NAME}",
)
FORMULA = re.compile(r"^[\s\u3000\u00a0\ufeff\u200b]*[=+\-@|%＝＋－＠]|^[\t\r\n]")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.shown = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == NAME or any(name == NAME for name, _value in attrs):
            self.found.add(f"<{tag}> came of it")
        for name, value in attrs:
            self._look(value or "")
            runs = name.startswith("on") or (value or "").strip().lower().startswith("javascript:")
            runs = runs or (name == "srcdoc" and "<" in (value or ""))
            if runs and NAME in (value or ""):
                self.found.add(f"<{tag} {name}> would run it")

    def handle_data(self, data: str) -> None:
        self._look(data)
        if self.lasttag == "script" and data.strip() == f"{NAME}()":
            self.found.add("a script came of it")

    def _look(self, text: str) -> None:
        self.shown += NAME in text
        if f"7920{NAME}" in text:
            self.found.add("a template ran it")


def alive_in_page(page: str) -> tuple[set[str], int]:
    """Return what came to life in a page or fragment, and how often the words were shown."""
    reader = _Reader()
    reader.feed(page)
    return reader.found, reader.shown


def alive_in_cell(cell: str) -> bool:
    """Tell whether a spreadsheet would take a cell for a formula."""
    return NAME in cell and bool(FORMULA.match(cell))
