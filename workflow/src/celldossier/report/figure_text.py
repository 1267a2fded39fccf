"""The words of a figure as text again, for the renderer of the PDF.

matplotlib draws a word as one reference a letter to the outline of the letter, so that a figure
looks the same wherever it is opened. The PDF carries the font: there the words are text, which
can be searched and copied, and which WeasyPrint sets in a third of the time. Each letter stands
where matplotlib put it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONTS = {
    "NotoSansSC-Regular": "Noto Sans SC",
    "DejaVuSans": "DejaVu Sans",
    "STIXGeneral-Regular": "STIXGeneral",
}
"""Family of a font by its PostScript name, with which matplotlib begins the name of an outline."""
OUTLINE_SIZE = 100
"""Size in which matplotlib draws the outlines of letters (`TextToPath.FONT_SCALE`)."""

_HREF = f"{{{XLINK}}}href"
_GROUP, _USE, _TEXT, _DEFS = (f"{{{SVG}}}{name}" for name in ("g", "use", "text", "defs"))
_FONT = re.compile(r"#(?P<name>.+)-[0-9a-f]+")
_OFFSET = re.compile(r"translate\((?P<x>-?[0-9.]+) 0\)|")
_PLACE = re.compile(
    r"(?P<place>translate\([^)]*\)(?: rotate\([^)]*\))?) scale\((?P<scale>\S+) -\S+\)"
)


def restore_words(svg: bytes) -> bytes:
    """The figure with words as text where the outlines of their letters were.

    Parameters
    ----------
    svg
        A figure as matplotlib writes it with text as outlines. A word whose letters are not
        all of one font of `FONTS`, on one line and one for each sign of the word (formulae,
        ligatures) stays as it is.

    Raises
    ------
    ElementTree.ParseError
        If it is no XML.
    """
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    root = ElementTree.fromstring(svg, parser)
    for parent in list(root.iter(_GROUP)):
        children = list(parent)
        for comment, group in pairwise(children):
            kind: object = comment.tag  # that of a comment is no name but a function
            if kind is ElementTree.Comment and group.tag == _GROUP:
                word = html.unescape((comment.text or "").strip(" "))
                _restore(group, word)
    return ElementTree.tostring(root)


def _restore(group: ElementTree.Element, word: str) -> None:
    """Put the word in place of its letters, if each of them can be told."""
    letters = group.findall(_USE)
    place = _PLACE.fullmatch(group.get("transform", ""))
    others = {child.tag for child in group} - {_USE, _DEFS}
    if place is None or others or len(letters) != len(word):
        return
    fonts = {found["name"] if found else "" for found in map(_read_font, letters)}
    offsets = [_OFFSET.fullmatch(letter.get("transform", "")) for letter in letters]
    if len(fonts) != 1 or not fonts <= set(FONTS) or None in offsets:
        return
    size = float(place["scale"]) * OUTLINE_SIZE
    starts = [float(found["x"] or 0) for found in offsets if found is not None]
    for letter in letters:
        group.remove(letter)
    group.set("transform", place["place"])
    _add_text(group, word, FONTS[fonts.pop()], size, [x * size / OUTLINE_SIZE for x in starts])


def _read_font(letter: ElementTree.Element) -> re.Match[str] | None:
    return _FONT.fullmatch(letter.get(_HREF, ""))


def _add_text(
    group: ElementTree.Element, word: str, family: str, size: float, starts: Sequence[float]
) -> None:
    attributes = {
        "x": " ".join(f"{start:.3f}" for start in starts),
        "y": "0",
        "font-family": family,
        "font-size": f"{size:.10g}",
        "{http://www.w3.org/XML/1998/namespace}space": "preserve",
    }
    ElementTree.SubElement(group, _TEXT, attributes).text = word
