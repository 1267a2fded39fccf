"""Reading of quantitative results: units, limits of quantitation, BLQ (rule R8)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.settings.bioanalysis import Assay
from celldossier.settings.sources import DOMAINS_OF
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.parsing import NUMBER, parse_numbers
from celldossier.study_data.units import Conversion, UnitTable

_BELOW = re.compile(rf"<\s*(?P<limit>{NUMBER})")
_ABOVE = re.compile(rf">\s*(?P<limit>{NUMBER})")
CONCENTRATIONS = ("PC", "LB")
"""Domains whose results cannot be negative."""
UNITLESS = "score"
"""Unit of an assay whose records need none."""


def read_results(
    domain: Domain, assays: Sequence[Assay], settings: StudyDataSettings
) -> pd.DataFrame:
    """Read the results of PC, LB, QS, MO or MI after rule R8 of the NCA rules.

    Faults become findings.

    Parameters
    ----------
    assays
        Assays of the domain; a test of no assay is not used.

    Returns
    -------
    DataFrame
        Aligned with the records: ``analyte``, ``unit`` (of the assay), ``value`` (NaN
        where BLQ), ``lloq``, ``uloq`` in that unit, ``factor`` (raw unit to unit),
        ``shift`` (added
        after it), ``blq``, ``alq`` (bool). Rows that are no longer active mean nothing.
    """
    prefix = domain.name
    test = domain.frame[f"{prefix}TESTCD"]
    by_code = {code: assay for assay in assays for code in assay.test_codes}
    analyte = test.map({code: assay.analyte for code, assay in by_code.items()}).fillna("")
    _check_tests(domain, test, analyte != "")
    check_not_done(domain, settings)

    raw = domain.frame[f"{prefix}ORRES"]
    number = parse_numbers(raw)
    below, above = read_limits(raw)
    words = {word.casefold() for word in settings.blq_texts}
    marked = raw.str.casefold().isin(words) | below.notna()
    value = number.fillna(above)
    unread = domain.active & value.isna() & ~marked
    # A text with a digit in it was meant as a number: "12,5", "1O4".
    typed = raw.str.contains(r"\d")
    domain.report("TEXTINNUMERIC", unread & typed, f"{prefix}ORRES")
    domain.report(
        "RESULTUNMAPPED", unread & ~typed, f"{prefix}ORRES", test=test, canonical=f"{prefix}ORRES"
    )
    domain.exclude(unread, "BADRESULT", raw)
    # A score or a change on an image may lie below zero; a concentration may not.
    negative = domain.active & (value < 0) & (prefix in CONCENTRATIONS)
    domain.report("RESULTNEGATIVE", negative, f"{prefix}ORRES", test=test)
    domain.exclude(negative, "BADRESULT", raw)

    unit = test.map({code: assay.unit for code, assay in by_code.items()}).fillna("")
    factor, shift = _check_units(domain, test, unit, by_code)
    version = domain.text(f"{prefix}ASSAYV")
    of_assay, above_assay = (
        (find_declared(test, version, assays, name) - shift) / factor for name in ("lloq", "uloq")
    )
    lloq = _limit_of_quantitation(domain, test, marked, below, of_assay)
    uloq, high = find_upper_limits(domain, test, value, above, above_assay)
    low = domain.active & ~marked & (value < lloq)
    domain.report(
        "BELOWLLOQ",
        low,
        f"{prefix}ORRES",
        severity=settings.below_lloq,
        test=test,
        lloq=lloq,
    )
    blq = marked | low
    return pd.DataFrame(
        {
            "analyte": analyte,
            "unit": unit,
            "factor": factor,
            "shift": shift,
            "value": (value * factor + shift).where(~blq),
            "lloq": lloq * factor + shift,
            "uloq": uloq * factor + shift,
            "blq": blq,
            "alq": high & ~blq,
        }
    )


def check_not_done(domain: Domain, settings: StudyDataSettings) -> None:
    """Exclude tests that were not done, and blank results, which are no BLQ (rule R2)."""
    variable = "RSSTRESC" if domain.name == "RS" else f"{domain.name}ORRES"
    result = domain.frame[variable]
    words = {word.casefold() for word in settings.not_done_texts}
    not_done = (domain.frame[f"{domain.name}STAT"] != "") | result.str.casefold().isin(words)
    domain.exclude(not_done, "NOTDONE", result)
    blank = domain.active & (result == "")
    domain.report("RESULTMISSING", blank, variable)
    domain.exclude(blank, "NORESULT")


def check_test_codes(domain: Domain, assays: Sequence[Assay]) -> None:
    """Find and exclude tests that no assay declares."""
    test = domain.frame[f"{domain.name}TESTCD"]
    _check_tests(domain, test, test.isin([code for assay in assays for code in assay.test_codes]))


def _check_tests(domain: Domain, test: pd.Series, declared: pd.Series) -> None:
    other = domain.active & ~declared
    variable = f"{domain.name}TESTCD"
    # These domains also hold tests which no analysis needs.
    if domain.name in DOMAINS_OF["PD"]:
        # A laboratory sends many tests that no one analyses: one finding a test.
        count = test.where(other).groupby(test).transform("count")
        first = other & ~test.where(other).duplicated()
        domain.report("TESTNOTDECLARED", first, variable, count=count)
    else:
        domain.report("TESTUNMAPPED", other, variable)
    domain.exclude(other, "NOASSAY", test)


def _check_units(
    domain: Domain, test: pd.Series, unit: pd.Series, by_code: dict[str, Assay]
) -> tuple[pd.Series, pd.Series]:
    """Factor and shift from the raw unit to the assay's; records without them are excluded."""
    table = UnitTable()
    variable = f"{domain.name}ORRESU"
    raw = domain.frame[variable]
    # The records of a score need no unit, where the domain lets it be blank.
    optional = not domain.specification.variables[variable].required
    scored = (raw == "") & (unit == UNITLESS) & optional
    mapped = table.normalise(raw).mask(scored, UNITLESS)
    pairs = pd.DataFrame({"test": test, "raw": mapped, "unit": unit})
    found = {
        key: table.find_conversion(key[1], key[2], by_code.get(key[0]))
        for key in pairs.drop_duplicates().itertuples(index=False, name=None)
    }
    keys = list(pairs.itertuples(index=False, name=None))
    links = [found[key] for key in keys]
    factor, shift = (
        pd.Series(
            [np.nan if link is None else getattr(link, part) for link in links],
            index=raw.index,
            dtype="float64",
        )
        for part in ("factor", "shift")
    )
    wrong = domain.active & factor.isna()
    known = mapped.map({name: table.find(name) is not None for name in mapped.unique()})
    domain.report("UNITUNKNOWN", wrong & ~known.astype(bool), variable, test=test)
    domain.report("UNITWRONG", wrong & known.astype(bool), variable, test=test, unit=unit)
    domain.exclude(wrong, "BADUNIT", raw)
    _note_declared(domain, pd.Series(keys, index=raw.index, dtype=object), found)
    return factor, shift


def _note_declared(
    domain: Domain,
    keys: pd.Series,
    found: dict[tuple[str, str, str], Conversion | None],
) -> None:
    """Say which conversions rest on what the assay declares."""
    used = set(keys[domain.active])
    links = {key: link for key, link in found.items() if link is not None and link.declared}
    for key in sorted(links.keys() & used):
        test, raw, unit = key
        factor = format_number(links[key].factor)
        column = domain.raw_columns[f"{domain.name}ORRESU"]
        domain.report_file(
            "UNITDECLARED", column=column, value=raw, test=test, unit=unit, factor=factor
        )


def _limit_of_quantitation(
    domain: Domain,
    test: pd.Series,
    marked: pd.Series,
    below: pd.Series,
    of_assay: pd.Series,
) -> pd.Series:
    """LLOQ in the raw unit: of the record, else of its text ("<50"), else of the assay.

    The limit of the assay holds for numbers too: one below it is BLQ, whoever states the limit.
    """
    prefix = domain.name
    variable = f"{prefix}LLOQ"
    own = domain.number(variable)
    conflict = domain.active & (own != below) & own.notna() & below.notna()
    domain.report(
        "LLOQCONFLICT",
        conflict,
        f"{prefix}ORRES",
        test=test,
        canonical=variable,
        lloq=own,
    )
    limit = own.fillna(below)
    missing = domain.active & marked & limit.isna()
    domain.report(
        *("LLOQFROMCONFIG", missing & of_assay.notna(), f"{prefix}ORRES"), test=test, lloq=of_assay
    )
    domain.report(
        *("LLOQMISSING", missing & of_assay.isna(), f"{prefix}ORRES"), test=test, canonical=variable
    )
    return limit.fillna(of_assay)


def find_upper_limits(
    domain: Domain,
    test: pd.Series,
    value: pd.Series,
    above: pd.Series,
    of_assay: pd.Series,
) -> tuple[pd.Series, pd.Series]:
    """ULOQ of each record, and the results above it, which are findings.

    The limit is that of the record, else of its text (">2500"), else of the assay, all in the
    raw unit. A text of that form lies above it, whatever the limit.

    Parameters
    ----------
    value
        Result as a number; of a text of that form its limit.
    above
        Limit in the text, else NaN.
    """
    prefix = domain.name
    own = domain.number(f"{prefix}ULOQ")
    conflict = domain.active & (own != above) & own.notna() & above.notna()
    domain.report(
        *("ULOQCONFLICT", conflict, f"{prefix}ORRES"),
        test=test,
        canonical=f"{prefix}ULOQ",
        uloq=own,
    )
    limit = own.fillna(above).fillna(of_assay)
    high = value.gt(limit) | above.notna()
    domain.report("ABOVEULOQ", domain.active & high, f"{prefix}ORRES", test=test, uloq=limit)
    return limit, high


def find_declared(
    test: pd.Series, version: pd.Series, assays: Sequence[Assay], name: str
) -> pd.Series:
    """What the assay of each record, or its version, declares; NaN where it declares nothing."""
    declared = {code: getattr(assay, name) for assay in assays for code in assay.test_codes}
    found = test.map(declared).astype("float64")
    of_version = {
        (code, own.version): getattr(own, name)
        for assay in assays
        for own in assay.complete_versions
        for code in assay.test_codes
        if assay.versions
    }
    if not of_version:
        return found
    keys = pd.MultiIndex.from_arrays([test, version])
    own = pd.Series(of_version, dtype="float64").reindex(keys)
    return pd.Series(own.to_numpy(), index=test.index).fillna(found)


def read_limits(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Limits in texts such as "<50" and ">2500"; NaN where the text has not that form.

    >>> [limits.tolist() for limits in read_limits(pd.Series(["<50", "> 2500", "7"]))]
    [[50.0, nan, nan], [nan, 2500.0, nan]]
    """
    return _limit(raw, _BELOW), _limit(raw, _ABOVE)


def _limit(raw: pd.Series, pattern: re.Pattern[str]) -> pd.Series:
    """Number after the sign where the text has that form, else NaN."""
    limits = raw.str.extract(f"^{pattern.pattern}$")["limit"]
    return pd.to_numeric(limits, errors="coerce").astype("float64")
