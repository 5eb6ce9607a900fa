"""What tests of pages share: reading them as text, and asking a browser about them."""

import html
import re
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "br", "input"}
OPTIONAL_END = {"p", "li", "tr", "td", "th", "thead", "tbody", "caption", "option", "h1", "dt", "dd"}

VISIBLE = "(e => e.checkVisibility({contentVisibilityAuto: false, visibilityProperty: true}))"

CONTRASTS = """
(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((c) => {
      c /= 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = parse(getComputedStyle(element).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const ratio = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const found = { text: [], shapes: [] };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const color = parse(element instanceof SVGElement ? style.fill : style.color);
    found.text.push([element.outerHTML.slice(0, 80), ratio(color, behind(element))]);
  }
  for (const shape of document.querySelectorAll("rect, path")) {
    if (!shape.checkVisibility()) continue;
    const style = getComputedStyle(shape);
    const color = parse(style.stroke === "none" ? style.fill : style.stroke);
    found.shapes.push([shape.outerHTML.slice(0, 80), ratio(color, behind(shape))]);
  }
  return found;
})()
"""


class Page(HTMLParser):
    """Elements of a page in order, and the text that each begins with."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self._begun = False
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        self._begun = True
        if tag not in VOID | OPTIONAL_END:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        self._begun = True

    def handle_endtag(self, tag: str) -> None:
        self._begun = False
        if tag not in OPTIONAL_END:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._begun:
            self.texts[-1] += data

    def all(self, tag: str, **attributes: str) -> list[str]:
        """The texts of elements of that kind."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        pairs = zip(self.elements, self.texts, strict=True)
        return [text for (name, attrs), text in pairs if name == tag and wanted.items() <= attrs.items()]


def words(source: str) -> str:
    """What a page says, without its elements."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", source, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))


def problems(browser: Any) -> list[Any]:
    """What the browser complained of, and what it fetched besides the page."""
    told = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
    found = [event for event in browser.events if event["method"] in told]
    asked = [e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]
    return found + [url for url in asked[1:] if not url.startswith("data:")]
