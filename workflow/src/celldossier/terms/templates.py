"""The Jinja environment of every page for readers: two languages, everything escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celldossier.io.resources import shared_path
from celldossier.terms.language import LanguageCode, read_catalogue

if TYPE_CHECKING:
    from jinja2 import Environment

_GAP = re.compile(r"(?<=[\u3001\u3002\uff01-\uff5e])\s+|(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")


def make_environment(language: LanguageCode) -> Environment:
    """Jinja environment of a page: everything escaped, nothing undefined let through."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(shared_path("report_templates")),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    # A share of the settings, such as a confidence level: 0.95 is 95%.
    environment.filters["percent"] = lambda share: f"{100 * share:g}%"
    environment.install_gettext_translations(  # type: ignore[attr-defined]  # added by the extension
        read_catalogue(language, "report"), newstyle=True
    )
    return environment


def close_chinese_gaps(page: str) -> str:
    """Take out the blanks that line ends of a template leave inside Chinese text.

    Chinese sets no blank after its punctuation, nor between two characters.
    """
    return _GAP.sub("", page)
