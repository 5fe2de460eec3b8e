"""QR codes, drawn into pages."""

import segno
from django.utils.safestring import SafeString, mark_safe


def qr_svg(text: str) -> SafeString:
    """Return a QR code as inline SVG; safe because it is drawn from nothing but dark and light cells."""
    svg = segno.make(text, error="m").svg_inline(border=2, omitsize=True, svgclass="qr", lineclass=None)
    return mark_safe(svg)  # noqa: S308
