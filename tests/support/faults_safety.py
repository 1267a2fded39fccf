"""Faults of components, grades, events of special interest and rescue medication."""

from __future__ import annotations

from fault_cases import Fault, Spoil, cell, cells, copy
from small_study import SmallStudy


def both(*spoils: Spoil) -> Spoil:
    """Several faults that only together are one."""

    def spoil(study: SmallStudy) -> None:
        for one in spoils:
            one(study)

    return spoil


def add_report(**changes: str) -> Spoil:
    """Another report of the cytokine release syndrome of subject A."""
    return copy("AE", 1, **changes)


def remove_fever(study: SmallStudy) -> None:
    """Let subject A have components of CRS, but none that tells of fever."""
    for row in (1, 4):
        study.set("FA", row, "FATESTCD", "VASOPRES")
        study.set("FA", row, "FAORRES", "0")


CRS_ROW = ("AE", 1)
FAULTS = [
    Fault("COMPONENTOFOTHER", cell("FA", 7, "FAOBJ", "CRS"), "FA", 7, "FATESTCD", "ICE"),
    Fault("COMPONENTVALUE", cell("FA", 7, "FAORRES", "11"), "FA", 7, "FAORRES", "11"),
    Fault("COMPONENTVALUE", cell("FA", 7, "FAORRES", "-1"), "FA", 7, "FAORRES", "-1"),
    Fault("COMPONENTVALUE", cell("FA", 7, "FAORRES", "9.5"), "FA", 7, "FAORRES", "9.5"),
    Fault("COMPONENTVALUE", cell("FA", 6, "FAORRES", "MASK"), "FA", 6, "FAORRES", "MASK"),
    Fault("TEMPERATUREUNIT", cell("FA", 4, "FAORRESU", "K"), "FA", 4, "FAORRESU", "K"),
    Fault(
        "TEMPERATURERANGE",
        cell("FA", 4, "FAORRESU", "C"),
        *("FA", 4, "FAORRES", "99.0", "warning"),
    ),
    Fault("SCOREAGE", cell("FA", 7, "FATESTCD", "CAPD"), "FA", 7, "FATESTCD", "CAPD", "warning"),
    Fault(
        "SCOREAGE",
        cells(("FA", 7, "USUBJID", "B"), ("FA", 7, "FADTC", "2024-04-03"), ("DM", 2, "AGE", "9")),
        *("FA", 7, "FATESTCD", "ICE", "warning"),
    ),
    Fault(
        "COMPONENTBEFOREDOSE",
        cells(("FA", 7, "FADTC", "2024-02-28"), ("FA", 7, "FAORRES", "8")),
        *("FA", 7, "FAORRES", "8", "warning"),
    ),
    Fault(
        "COMPONENTDUPLICATE",
        copy("FA", 3, FAORRES="NONE"),
        *("FA", 8, "FADTC", "2024-03-03T22:00", "warning"),
    ),
    Fault(
        "CRSFEVERMISSING",
        remove_fever,
        *("AE", 1, "AEDECOD", "Cytokine release syndrome", "warning"),
    ),
    Fault(
        "CRSWITHOUTFEVER",
        cell("FA", 1, "FAORRES", "37.9"),
        *("AE", 1, "AEDECOD", "Cytokine release syndrome", "warning"),
    ),
    Fault("GRADEDIFFERS", cell("AE", 1, "AETOXGR", "1"), *CRS_ROW, "AETOXGR", "1", "warning"),
    # All days of the event are graded, and none of them so high.
    Fault(
        "GRADEDIFFERS",
        cells(("AE", 1, "AETOXGR", "3"), ("AE", 1, "AEENDTC", "2024-03-04")),
        *(*CRS_ROW, "AETOXGR", "3", "warning"),
    ),
    Fault(
        "EVENTBEFOREDOSE",
        cell("AE", 1, "AESTDTC", "2024-02-27"),
        *("AE", 1, "AESTDTC", "2024-02-27", "warning"),
    ),
    Fault(
        "EVENTOVERLAP",
        add_report(AESTDTC="2024-03-05", AEENDTC="2024-03-08"),
        *("AE", 5, "AESTDTC", "2024-03-05", "warning"),
    ),
    Fault(
        "EVENTNOTREPORTED",
        copy("FA", 1, USUBJID="B", FADTC="2024-04-03T08:00"),
        *("FA", 8, "FAOBJ", "CRS", "warning"),
    ),
    Fault(
        "EVENTAFTERDEATH",
        cells(("AE", 4, "AESTDTC", "2024-06-11"), ("AE", 4, "AEENDTC", "")),
        *("AE", 4, "AESTDTC", "2024-06-11"),
    ),
    Fault(
        "DEATHDATEMISSING",
        cell("AE", 3, "AETOXGR", "5"),
        *("AE", 3, "AETOXGR", "5", "warning"),
    ),
    Fault(
        "DEATHDATEMISSING",
        cell("AE", 3, "AEOUT", "FATAL"),
        *("AE", 3, "AETOXGR", "1", "warning"),
    ),
    Fault(
        "DEATHINEVENT",
        cell("DM", 1, "DTHDTC", "2024-03-05"),
        *("AE", 1, "AETOXGR", "2", "warning"),
    ),
    Fault(
        "SPECIALNEARMISS",
        cells(("AE", 3, "AEDECOD", "Cytokine release reaction")),
        *("AE", 3, "AEDECOD", "Cytokine release reaction", "warning"),
    ),
    Fault(
        "DLTWINDOW",
        cells(
            ("AE", 4, "AEDLT", "Y"), ("AE", 4, "AESTDTC", "2024-05-01"), ("AE", 4, "AEENDTC", "")
        ),
        *("AE", 4, "AESTDTC", "2024-05-01", "warning"),
    ),
    Fault(
        "DLTNOEVENT",
        cells(("AE", 4, "AEDLT", "Y"), ("AE", 4, "AETOXGR", "0")),
        *("AE", 4, "AETOXGR", "0", "warning"),
    ),
    Fault(
        "MEDICATIONNEARMISS",
        cell("CM", 2, "CMDECOD", "Paracetamol with codeine"),
        *("CM", 2, "CMDECOD", "Paracetamol with codeine", "warning"),
    ),
    Fault(
        "RESCUEWITHOUTEVENT",
        cells(("CM", 2, "CMINDC", "Cytokine release syndrome")),
        *("CM", 2, "CMINDC", "Cytokine release syndrome", "warning"),
    ),
    Fault(
        "RESCUEBEFOREDOSE",
        cell("CM", 1, "CMSTDTC", "2024-02-28"),
        *("CM", 1, "CMSTDTC", "2024-02-28", "warning"),
    ),
]


def without_components(**changes: str) -> Spoil:
    """Change the report of CRS, whose grade then rests on itself alone."""

    def spoil(study: SmallStudy) -> None:
        study.tables["FA"] = study.tables["FA"].loc[[7]].set_axis([1])
        study.tables["FA"].index.name = "row"
        for column, value in changes.items():
            study.set("AE", 1, column, value)

    return spoil


def add_second_scale(study: SmallStudy) -> None:
    """Add a report of CRS of subject B in another scale."""
    without_components()(study)
    study.repeat(
        "AE",
        1,
        {"USUBJID": "B", "AESCAT": "Penn", "AESTDTC": "2024-04-03", "AEENDTC": "2024-04-05"},
    )


WHOLE_FILE_FAULTS = [
    Fault("SCALEMISSING", without_components(AESCAT=""), "AE", None, "AESCAT", "", "warning"),
    Fault("SCALEUNKNOWN", without_components(AESCAT="House"), "AE", None, "AESCAT", "House"),
    Fault(
        "SCALELEGACY",
        without_components(AESCAT="Lee 2014"),
        *("AE", None, "AESCAT", "LEE 2014", "warning"),
    ),
    Fault("SCALEMIXED", add_second_scale, "AE", None, "AESCAT", "ASTCT 2019, PENN"),
]

FOLLOWS = {
    # Without its scale the grade of the other study is a legacy grade.
    "SCALEMIXED": {"SCALELEGACY"},
    # No fever, no grade by the components.
    "CRSWITHOUTFEVER": {"GRADEDIFFERS"},
    # Death ends what is reported later.
    "DEATHINEVENT": {"EVENTAFTERDEATH"},
    # Components without the event that they belong to.
    "VALUEMISSING": {"EVENTNOTREPORTED"},
    "SCOREAGE": {"EVENTNOTREPORTED"},
    "EVENTBEFOREDOSE": {"EVENTNOTREPORTED"},
    # A score that an age of zero does not fit.
    "NOTABOVEZERO": {"SCOREAGE"},
}
