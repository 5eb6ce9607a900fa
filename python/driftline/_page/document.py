"""The frame of a page: its head, with a policy that lets nothing in but what the page itself holds."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

__all__ = ["MOST_BYTES", "Frame", "frame"]

MOST_BYTES = 2_000_000
"""A page of this size opens at once and can be mailed. What would make it larger is left out, the least important."""

Frame = tuple[str, str]
"""What stands before and after the content of a page."""


def frame(package: str, title: str) -> Frame:
    """The frame around a page.

    Args:
        package: Where `page.css` and `page.js` are, which add to those of all pages.
        title: The title as HTML.
    """
    style = _read("driftline._page", "page.css") + _read(package, "page.css")
    script = _read("driftline._page", "page.js") + _read(package, "page.js")
    allowed = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    above = (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        f'<meta http-equiv=Content-Security-Policy content="{allowed}">'
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        '<meta name=color-scheme content="light dark"><meta name=referrer content=no-referrer>'
        # Without an icon of its own a browser asks the server for one.
        f'<link rel=icon href="data:,"><title>driftline: {title}</title><style>{style}</style></head><body>'
    )
    return above, f"<script>{script}</script></body></html>\n"


def _read(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text("utf-8")


def _hash(source: str) -> str:
    """What the page's policy lets through: this text and no other."""
    return f"sha256-{b64encode(sha256(source.encode()).digest()).decode()}"
