"""A check of the raw data with a limit fires just beyond it, and not at it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from fault_cases import Spoil, cell, cells, copy
from small_study import ManyStudies, make_study


@dataclass(frozen=True)
class Limit:
    """Two studies on either side of the limit of a rule; the second is a fault."""

    rule: str
    inside: Spoil
    beyond: Spoil


def of_cell(rule: str, domain: str, row: int, column: str, inside: str, beyond: str) -> Limit:
    """A limit of the values of one cell."""
    return Limit(rule, *(cell(domain, row, column, value) for value in (inside, beyond)))


def weigh(weight: str) -> Spoil:
    """Two metres high: the body mass index is a quarter of the weight."""
    return cells(("DM", 1, "HTBL", "200"), ("DM", 1, "WTBL", weight))


def dose(amount: str) -> Spoil:
    """A dose that is as planned, of a body of 70 kg."""
    return cells(*(("EX", 2, name, amount) for name in ("EXDOSE", "EXPDOSE")))


def alone(indication: str, adult: str, minor: str) -> Spoil:
    """Subjects A and B with these ages, and an indication that no other copy has."""
    return cells(
        *(("DM", row, "INDIC", indication) for row in (1, 2)),
        *(("DM", 1, "AGE", adult), ("DM", 2, "AGE", minor)),
    )


def infuse_minor(indication: str, start: str) -> Spoil:
    """B, a minor, is infused at this time; A, an adult, on 1 March at 10:00."""

    def spoil(study) -> None:
        alone(indication, "45", "17")(study)
        cells(("EX", 3, "EXSTDTC", start), ("EX", 3, "EXENDTC", ""))(study)

    return spoil


def visit_of_laboratory(when: str) -> Spoil:
    """The concentration of the visit is of 8 March, 10:00."""
    return cells(("PC", 2, "VISIT", "W"), ("LB", 3, "VISIT", "W"), ("LB", 3, "LBDTC", when))


def score(age: str) -> Spoil:
    """An ICE score of subject B at this age."""
    return cells(("FA", 7, "USUBJID", "B"), ("FA", 7, "FADTC", "2024-04-03"), ("DM", 2, "AGE", age))


def relapse(when: str) -> Spoil:
    """A relapse after the partial response of 1 June."""
    return cells(("RS", 4, "RSSTRESC", "RELAPSE"), ("RS", 4, "RSDTC", when))


# A was infused on 2024-03-01 at 10:00, B on 2024-04-01 at 12:00.
LIMITS = [
    of_cell("AGERANGE", "DM", 1, "AGE", "100", "101"),
    of_cell("WEIGHTRANGE", "DM", 1, "WTBL", "250", "250.1"),
    of_cell("WEIGHTRANGE", "DM", 1, "WTBL", "2", "1.9"),
    of_cell("HEIGHTRANGE", "DM", 1, "HTBL", "230", "230.1"),
    of_cell("HEIGHTRANGE", "DM", 1, "HTBL", "40", "39.9"),
    Limit("BMIRANGE", weigh("240"), weigh("240.1")),
    Limit("BMIRANGE", weigh("40"), weigh("39.9")),
    # 45 years by DM; 46 and 47 whole years on the day of consent, then 44 and 43.
    of_cell("AGEBIRTH", "DM", 1, "BRTHDTC", "1977-02-01", "1976-12-01"),
    of_cell("AGEBIRTH", "DM", 1, "BRTHDTC", "1979-12-01", "1980-06-01"),
    of_cell("LEUKAFTERINFUSION", "DM", 2, "LEUKDTC", "2024-04-01", "2024-04-02"),
    of_cell("LEUKBEFORECONSENT", "DM", 2, "LEUKDTC", "2024-02-02", "2024-02-01"),
    of_cell("DEATHBEFORECONSENT", "DM", 3, "DTHDTC", "2024-02-02", "2024-02-01"),
    of_cell("DEATHBEFOREDOSE", "DM", 2, "DTHDTC", "2024-04-01", "2024-03-31"),
    Limit("MINORSBEFOREADULTS", alone("T1", "18", "17"), alone("T2", "17", "17")),
    Limit(
        "MINORSBEFOREADULTS",
        infuse_minor("T3", "2024-03-01T10:00"),
        infuse_minor("T4", "2024-03-01T09:59"),
    ),
    of_cell("DOSEBEFOREMADE", "LOTS", 2, "MFGDTC", "2024-04-01", "2024-04-02"),
    of_cell("DOSEBEFORERELEASE", "LOTS", 2, "RELDTC", "2024-04-01", "2024-04-02"),
    of_cell("INFUSIONLONG", "EX", 2, "EXENDTC", "2024-03-01T14:00", "2024-03-01T14:01"),
    Limit("DOSEPERKG", dose("35000"), dose("35001")),
    Limit("DOSEPERKG", dose("0.0701"), dose("0.0699")),
    of_cell("DOSEWINDOW", "EX", 3, "EXDOSE", "240", "241"),
    of_cell("DOSEWINDOW", "EX", 3, "EXDOSE", "160", "159"),
    Limit(
        "DOSECONTRADICTION",
        cells(("EX", 2, "EXDOSVIA", "101"), ("EX", 2, "EXDOSTOT", "100")),
        cells(("EX", 2, "EXDOSVIA", "102"), ("EX", 2, "EXDOSTOT", "100")),
    ),
    of_cell("DOSEBASIS", "EX", 2, "EXDOSTGP", "97.1", "97"),
    Limit(
        "DOSEINTERVAL",
        copy("EX", 2, EXSTDTC="2024-04-01T10:00", EXENDTC="", EXTPTNUM="28"),
        copy("EX", 2, EXSTDTC="2024-04-02T10:00", EXENDTC="", EXTPTNUM="28"),
    ),
    Limit(
        "DOSESAMEDAY",
        copy("EX", 2, EXSTDTC="2024-03-02T00:00", EXENDTC=""),
        copy("EX", 2, EXSTDTC="2024-03-01T23:59", EXENDTC=""),
    ),
    # Rounding may make one per cent too much of two shares.
    Limit(
        "LOTMEMORY",
        cells(("LOTS", 2, "TCMPCT", "61"), ("LOTS", 2, "TEMPCT", "40")),
        cells(("LOTS", 2, "TCMPCT", "61.1"), ("LOTS", 2, "TEMPCT", "40")),
    ),
    of_cell("LOTVCN", "LOTS", 2, "VCN", "15", "15.1"),
    of_cell("LOTVCN", "LOTS", 2, "VCN", "0.05", "0.04"),
    # From 5 February to 1 April are 56 days.
    of_cell("VEINTOVEIN", "LOTS", 2, "VEINVEIN", "57", "58"),
    of_cell("VEINTOVEIN", "LOTS", 2, "VEINVEIN", "55", "54"),
    # The sample planned for day 7 was taken on day 7: one planned for day 8 is on day 4.
    Limit(
        "VISITORDER",
        copy("PC", 2, PCTPTNUM="8", PCDTC="2024-03-05T10:00"),
        copy("PC", 2, PCTPTNUM="8", PCDTC="2024-03-05T09:59"),
    ),
    of_cell("TIMECONTRADICTS", "PC", 5, "PCDTC", "2024-04-18T12:00", "2024-04-18T12:01"),
    # Planned for day 28: 30 % are 8.4 days.
    of_cell("TIMECONTRADICTS", "PC", 3, "PCDTC", "2024-04-06T19:30", "2024-04-06T19:42"),
    Limit(
        "VISITDATESDIFFER",
        visit_of_laboratory("2024-03-15T10:00"),
        visit_of_laboratory("2024-03-15T10:01"),
    ),
    Limit(
        "VISITDATESDIFFER",
        visit_of_laboratory("2024-03-01T10:00"),
        visit_of_laboratory("2024-03-01T09:59"),
    ),
    of_cell("RECORDAFTERDEATH", "RS", 5, "RSDTC", "2024-06-10", "2024-06-11"),
    Limit(
        "DISPOSITIONAFTERDEATH",
        copy("DS", 1, USUBJID="B", DSSTDTC="2024-06-10"),
        copy("DS", 1, USUBJID="B", DSSTDTC="2024-06-11"),
    ),
    of_cell("DEATHDIFFERS", "DS", 2, "DSSTDTC", "2024-06-10T08:00", "2024-06-09"),
    Limit(
        "CONTACTTOOEARLY",
        copy("DS", 1, DSDECOD="Last contact", DSSTDTC="2024-12-01"),
        copy("DS", 1, DSDECOD="Last contact", DSSTDTC="2024-11-30"),
    ),
    Limit(
        "EVENTAFTERDEATH",
        cells(("AE", 4, "AESTDTC", "2024-06-10"), ("AE", 4, "AEENDTC", "")),
        cells(("AE", 4, "AESTDTC", "2024-06-11"), ("AE", 4, "AEENDTC", "")),
    ),
    # The syndrome of A lasts from 3 to 6 March.
    of_cell("DEATHINEVENT", "DM", 1, "DTHDTC", "2024-03-02", "2024-03-03"),
    of_cell("DEATHINEVENT", "DM", 1, "DTHDTC", "2024-03-07", "2024-03-06"),
    of_cell("EVENTBEFOREDOSE", "AE", 1, "AESTDTC", "2024-03-01", "2024-02-29"),
    Limit(
        "EVENTOVERLAP",
        copy("AE", 1, AESTDTC="2024-03-06", AEENDTC="2024-03-08"),
        copy("AE", 1, AESTDTC="2024-03-05", AEENDTC="2024-03-08"),
    ),
    Limit(
        "DLTWINDOW",
        cells(("AE", 4, "AEDLT", "Y"), ("AE", 4, "AESTDTC", "2024-04-29")),
        cells(("AE", 4, "AEDLT", "Y"), ("AE", 4, "AESTDTC", "2024-04-30")),
    ),
    Limit(
        "DLTWINDOW",
        cells(("AE", 4, "AEDLT", "Y"), ("AE", 4, "AESTDTC", "2024-04-01")),
        cells(("AE", 4, "AEDLT", "Y"), ("AE", 4, "AESTDTC", "2024-03-31")),
    ),
    of_cell("RESCUEBEFOREDOSE", "CM", 1, "CMSTDTC", "2024-03-01", "2024-02-29"),
    Limit(
        "COMPONENTBEFOREDOSE",
        cells(("FA", 7, "FADTC", "2024-03-01T10:00"), ("FA", 7, "FAORRES", "8")),
        cells(("FA", 7, "FADTC", "2024-03-01T09:59"), ("FA", 7, "FAORRES", "8")),
    ),
    # Fever is 38.0 degrees or more: Lee DW et al., Biol Blood Marrow Transplant 2019;25:625.
    of_cell("CRSWITHOUTFEVER", "FA", 1, "FAORRES", "38.0", "37.9"),
    of_cell("TEMPERATURERANGE", "FA", 1, "FAORRES", "43", "43.1"),
    # In Fahrenheit: 33 degrees Celsius are 91.4.
    of_cell("TEMPERATURERANGE", "FA", 4, "FAORRES", "91.4", "91.3"),
    Limit("SCOREAGE", score("12"), score("11.9")),
    of_cell("GRADERANGE", "AE", 4, "AETOXGR", "5", "6"),
    Limit(
        "RESPONSEBEFOREDOSE",
        cells(("RS", 1, "RSTPTNUM", "28"), ("RS", 1, "RSDTC", "2024-03-02")),
        cells(("RS", 1, "RSTPTNUM", "28"), ("RS", 1, "RSDTC", "2024-02-29")),
    ),
    Limit("RESPONSEDIFFERS", copy("RS", 2), copy("RS", 2, RSSTRESC="PR")),
    Limit("RESPONSEAFTERPD", copy("RS", 3, RSDTC="2024-08-31"), copy("RS", 3, RSDTC="2024-09-02")),
    Limit("RELAPSEUNFOUNDED", relapse("2024-06-02"), relapse("2024-06-01")),
    Limit(
        "LOTNOTRELEASED",
        cell("LOTS", 2, "RELSTAT", ""),
        cells(("LOTS", 2, "RELSTAT", ""), ("LOTS", 2, "RELDTC", "")),
    ),
    of_cell("DOSENOTPOSITIVE", "EX", 2, "EXDOSE", "0.01", "0"),
]


@pytest.fixture(scope="module")
def found():
    """Rules that fire in each copy: for each limit the one inside it, then the one beyond."""
    parts = []
    for limit in LIMITS:
        for spoil in (limit.inside, limit.beyond):
            part = make_study()
            spoil(part)
            parts.append(part)
    many = ManyStudies(parts)
    findings = many.merge().derive().findings
    rules = []
    for part, start in zip(many.parts, many.offsets, strict=True):
        first = findings["domain"].map(start)
        last = first + findings["domain"].map({name: len(t) for name, t in part.tables.items()})
        rules.append(set(findings[findings["row"].gt(first) & findings["row"].le(last)]["rule_id"]))
    return rules


@pytest.mark.parametrize("number", range(len(LIMITS)), ids=lambda n: LIMITS[n].rule)
def test_a_rule_fires_beyond_its_limit_and_not_at_it(found, number):
    rule = LIMITS[number].rule
    inside, beyond = (rule in found[2 * number + side] for side in (0, 1))
    assert (inside, beyond) == (False, True)
