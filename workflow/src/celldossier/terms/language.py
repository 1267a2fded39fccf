"""The two languages of the report: gettext catalogues, terms and number formats.

Two catalogues a language lie in ``report_templates/locale/<locale>/LC_MESSAGES``:
``terms.po`` holds short texts by key ("statistic.geomean"), in Chinese and in
English; ``report.po`` holds the Chinese of the prose that stands in English in
the templates. They are compiled in memory, so that no binary file is kept.
"""

from __future__ import annotations

import gettext
import io
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from celldossier.io.resources import read_resource, shared_path

LanguageCode = Literal["zh", "en"]
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
LOCALES: dict[str, str] = {"zh": "zh_CN", "en": "en"}


@lru_cache(maxsize=8)
def read_catalogue(
    language: LanguageCode, domain: Literal["terms", "report"]
) -> gettext.NullTranslations:
    """Catalogue of a language; an English ``report`` catalogue is the templates' own text."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    path = shared_path(
        "report_templates", "locale", LOCALES[language], "LC_MESSAGES", f"{domain}.po"
    )
    if language == "en" and domain == "report":
        return gettext.NullTranslations()
    with path.open("rb") as handle:
        catalogue = read_po(handle)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class Language:
    """Texts, labels and number formats of one language.

    Parameters
    ----------
    code
        ``zh`` or ``en``.
    """

    def __init__(self, code: LanguageCode) -> None:
        self.code: LanguageCode = code
        self.locale = LOCALES[code]
        self._terms = read_catalogue(code, "terms")

    def text(self, key: str, **values: object) -> str:
        """Short text by key, with named values filled in.

        Raises
        ------
        KeyError
            If the catalogue does not hold the key: a key is never shown to a reader.
        """
        text = self._terms.gettext(key)
        if text == key:
            raise KeyError(f"the catalogue terms.po of {self.locale} does not hold {key}")
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Whether the catalogue holds the key."""
        return self._terms.gettext(key) != key

    def label(self, both: Mapping[str, str]) -> str:
        """The text of this language, out of a pair ``{"en": ..., "zh": ...}``."""
        return both[self.code]

    def reason(self, code: str) -> str:
        """Wording of a reason or flag code."""
        return self.label(read_resource("terms", "reason_codes.yaml")[code])


def format_significant(value: float, digits: int = 3) -> str:
    """A number with that many significant digits, whole digits kept: 34712.3 is "34700".

    No exponent notation and no grouping: product labels and CDISC print so.
    """
    if not math.isfinite(value):
        return ""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    rounded = round(value, digits - 1 - exponent)
    exponent = math.floor(math.log10(abs(rounded)))
    return f"{rounded:.{max(0, digits - 1 - exponent)}f}"


def format_fixed(value: float, decimals: int) -> str:
    """A number with that many decimals, "" for NaN; never "-0.0"."""
    if not math.isfinite(value):
        return ""
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if not text.strip("-0.") else text


def format_p(value: float) -> str:
    """A p value: three decimals, "<0.001" below."""
    if not math.isfinite(value):
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def format_count(value: float) -> str:
    """A count of subjects or records."""
    return f"{value:.0f}" if math.isfinite(value) else ""


def format_result(value: float | None, form: Literal["count", "number", "percent"]) -> str:
    """A result in print, "" where there is none.

    >>> format_result(34712.3, "number"), format_result(45.25, "percent"), format_result(7, "count")
    ('34700', '45.2%', '7')
    """
    if value is None:
        return ""
    if form == "count":
        return format_count(value)
    return f"{format_fixed(value, 1)}%" if form == "percent" else format_significant(value)


def print_unit(unit: str) -> str:
    """A unit for readers: ``d*copies/ug`` is "d·copies/µg", ``10^6/kg`` is "10⁶/kg".

    >>> print_unit("d*copies/ug"), print_unit("10^9/L"), print_unit("mm2")
    ('d·copies/µg', '10⁹/L', 'mm²')
    """
    printed = re.sub(r"\^(-?\d+)", lambda match: match[1].translate(_SUPERSCRIPT), unit)
    printed = re.sub(r"\b([cm]?m)([23])\b", lambda m: m[1] + m[2].translate(_SUPERSCRIPT), printed)
    printed = re.sub(r"\bu(?=[gLlmM]\b)", "µ", printed)
    return printed.replace("*", "·")
