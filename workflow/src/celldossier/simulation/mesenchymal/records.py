"""Raw domains of the stem cell study: subjects, doses, lots, events, disposition."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.background import draw_events, write_disposition
from celldossier.simulation.mesenchymal.draw import DrawnStem
from celldossier.simulation.mesenchymal.layouts import RAW_COLUMNS
from celldossier.simulation.mesenchymal.specification import MesenchymalSpecification
from celldossier.simulation.records import (
    finish_domain,
    format_dates,
    format_datetimes,
    format_fixed,
    shift_days,
)
from celldossier.simulation.streams import open_stream
from celldossier.simulation.subject_records import (
    describe_shared_lots,
    identify_subjects,
    place_in_arms,
)

Array = NDArray[np.float64]
PRODUCT = "UMBILICAL CORD MSC"
WITHDRAWN = "WITHDRAWAL BY SUBJECT BEFORE INJECTION"


def name_visit(day: float) -> str:
    """Visit of a nominal day."""
    return "SCREENING" if day < 0 else f"DAY {int(day)}"


def write_demographics(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``dm.csv``: every enrolled subject, injected or not."""
    subjects = drawn.subjects
    frame = pd.DataFrame(
        {
            **identify_subjects(subjects, "START"),
            **place_in_arms(subjects, spec.dosing.levels, "viable cells"),
            "DTHDTC": "",
            "INDIC": "KNEE OSTEOARTHRITIS",
            "STAGEBL": subjects["STAGE"],
            "NOINFRSN": np.where(subjects["INFUSED"], "", WITHDRAWN),
        }
    )
    return finish_domain(frame, spec.study, "dm", [], RAW_COLUMNS)


def write_exposure(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``ex.csv``: one injection into the joint a subject."""
    planned = np.array([level.planned for level in spec.dosing.levels])[drawn.infused["LEVEL"]]
    viability = drawn.lots["VIABILITY"].to_numpy(dtype=float)[drawn.lot]
    end = shift_days(drawn.start, np.full(planned.size, spec.dosing.injection_minutes / 1440))
    frame = pd.DataFrame(
        {
            "USUBJID": drawn.infused["USUBJID"],
            "EXCAT": "CELL PRODUCT",
            "EXTRT": f"{spec.study} {PRODUCT}",
            "EXDOSE": format_fixed(drawn.doses, 1),
            "EXDOSU": "10^6 CELLS",
            "EXPDOSE": format_fixed(planned, 0),
            "EXDOSTOT": format_fixed(drawn.doses / (viability / 100), 1),
            "EXDOSVIA": format_fixed(drawn.doses, 1),
            "EXROUTE": "INTRA-ARTICULAR",
            "EXLOT": drawn.lots["LOTID"].to_numpy()[drawn.lot],
            "EPOCH": "TREATMENT",
            "EXPLFL": "Y",
            "EXTPTNUM": "0",
            "EXSTDTC": format_datetimes(drawn.start),
            "EXENDTC": format_datetimes(end),
        }
    )
    return finish_domain(frame, spec.study, "ex", ["EXSTDTC"], RAW_COLUMNS)


def write_lots(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``lots.csv``: a lot serves several subjects, so that its subject is blank."""
    lots = drawn.lots
    frame = pd.DataFrame(
        {
            **describe_shared_lots(lots),
        }
    )
    return finish_domain(frame, spec.study, "lots", ["LOTID"], RAW_COLUMNS)


def write_adverse_events(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``ae.csv``; there is no CRS and no ICANS."""
    rng = open_stream(spec.seed, "stem_events")
    users = drawn.infused["USUBJID"].to_numpy()
    frame = draw_events(rng, spec.events, drawn.doublings, drawn.start, users, drawn.last_day)
    return finish_domain(frame, spec.study, "ae", ["AESTDTC", "AEDECOD"], RAW_COLUMNS)


def write_medication(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``cm.csv``: rescue analgesics."""
    rng = open_stream(spec.seed, "stem_medication")
    n = len(drawn.infused)
    begin = np.floor(rng.uniform(5, 150, n)) + 0.4
    length = rng.integers(1, 10, n)
    chosen = np.flatnonzero(
        (rng.uniform(size=n) < spec.rescue_share) & (begin + length < drawn.last_day)
    )
    frame = pd.DataFrame(
        {
            "USUBJID": drawn.infused["USUBJID"].to_numpy()[chosen],
            "CMTRT": "PARACETAMOL",
            "CMDECOD": "PARACETAMOL",
            "CMCAT": "RESCUE",
            "CMINDC": "KNEE PAIN",
            "CMDOSE": "500",
            "CMDOSU": "mg",
            "CMSTDTC": format_dates(shift_days(drawn.start, begin)[chosen]),
            "CMENDTC": format_dates(shift_days(drawn.start, begin + length)[chosen]),
        }
    )
    return finish_domain(frame, spec.study, "cm", ["CMSTDTC"], RAW_COLUMNS)


def write_dispositions(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``ds.csv``: how follow-up ended, or the last contact before the cut-off."""
    reason = np.select(
        [drawn.lost, drawn.last_day >= spec.follow_up],
        ["LOST TO FOLLOW-UP", "COMPLETED"],
        "LAST CONTACT",
    )
    users = drawn.infused["USUBJID"].to_numpy()
    return write_disposition(spec.study, users, drawn.start, drawn.last_day, reason, RAW_COLUMNS)
