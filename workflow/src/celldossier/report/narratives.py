"""The sponsor's own texts: Markdown in, safe HTML out.

The texts are untrusted: raw HTML is shown as text, images and links are not
made, and nothing in them is ever evaluated as a template.
"""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable(
        ["image", "link", "autolink", "html_inline", "html_block"]
    )


def render_narrative(text: str) -> Markup:
    """Paragraphs, lists and emphasis of a sponsor text as HTML."""
    return Markup(_renderer().render(text))
