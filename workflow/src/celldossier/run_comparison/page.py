"""The comparison as a page for people, in one language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from celldossier.io.resources import shared_path
from celldossier.terms.language import Language, LanguageCode, format_result, print_unit
from celldossier.terms.templates import close_chinese_gaps, make_environment

SHOWN = 500
"""Lines of one table that a page shows; differences.csv holds all of them."""


def render_comparison(changes: Mapping[str, Any], language_code: LanguageCode) -> str:
    """The page of a comparison as HTML that stands alone; every text of the runs is escaped.

    Parameters
    ----------
    changes
        What `summarise_comparison` gives.
    """
    language = Language(language_code)
    environment = make_environment(language_code)
    style = shared_path("report_templates", "style", "findings.css").read_text("utf-8")
    page = environment.get_template("comparison.html.j2").render(
        language=language_code,
        style=Markup(style),
        changes=changes,
        label=language.label,
        figure=format_result,
        print_unit=print_unit,
        listed=SHOWN,
    )
    return close_chinese_gaps(page) if language_code == "zh" else page
