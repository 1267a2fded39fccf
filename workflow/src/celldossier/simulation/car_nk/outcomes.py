"""Raw domains of the CAR-NK study: events and their components, response, medication."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.background import CTCAE, draw_events, write_disposition
from celldossier.simulation.car_nk.draw import DrawnNk
from celldossier.simulation.car_nk.layouts import RAW_COLUMNS
from celldossier.simulation.car_nk.records import lay_out, name_visit
from celldossier.simulation.car_nk.specification import CarNkSpecification
from celldossier.simulation.immune_markers import draw_size_ratios
from celldossier.simulation.records import (
    format_dates,
    format_datetimes,
    format_numbers,
    shift_days,
)
from celldossier.simulation.schedule import draw_actual_times
from celldossier.simulation.streams import open_stream

Array = NDArray[np.float64]
ASTCT = "ASTCT 2019"
DOSE_LIMITING_TERM = "Alanine aminotransferase increased"
RESPONSE_WORDS = {
    "CR": "COMPLETE RESPONSE",
    "PR": "PARTIAL RESPONSE",
    "SD": "STABLE DISEASE",
    "PD": "PROGRESSIVE DISEASE",
}


def write_adverse_events(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``ae.csv``: CRS by ASTCT, a few dose-limiting toxicities, the background."""
    rng = open_stream(spec.seed, "nk_events")
    users, start = drawn.infused["USUBJID"].to_numpy(), drawn.start
    planned = np.array([level.planned for level in spec.dosing.levels])[drawn.infused["LEVEL"]]
    doublings = np.log2(planned / spec.dosing.reference)
    last = drawn.course.last_day
    blocks = [draw_events(rng, spec.safety.events, doublings, start, users, last)]
    chosen = np.flatnonzero(drawn.crs_grade > 0)
    blocks.append(
        pd.DataFrame(
            {
                "USUBJID": users[chosen],
                "AETERM": "CYTOKINE RELEASE SYNDROME",
                "AEDECOD": "Cytokine release syndrome",
                "AEBODSYS": "Immune system disorders",
                "AESCAT": ASTCT,
                "AETOXGR": drawn.crs_grade[chosen].astype(str),
                "AESER": np.where(drawn.crs_grade[chosen] >= 2, "Y", "N"),
                "AEREL": "RELATED",
                "AEOUT": "RECOVERED/RESOLVED",
                "AEDLT": "N",
                "AESTDTC": format_datetimes(shift_days(start, drawn.crs_onset)[chosen]),
                "AEENDTC": format_datetimes(shift_days(start, drawn.crs_end)[chosen]),
            }
        )
    )
    limiting = np.flatnonzero(rng.uniform(size=users.size) < spec.safety.dose_limiting_share)
    onset = np.floor(rng.uniform(2, 20, users.size)) + 0.4
    blocks.append(
        pd.DataFrame(
            {
                "USUBJID": users[limiting],
                "AETERM": DOSE_LIMITING_TERM.upper(),
                "AEDECOD": DOSE_LIMITING_TERM,
                "AEBODSYS": "Investigations",
                "AESCAT": CTCAE,
                "AETOXGR": "3",
                "AESER": "Y",
                "AEREL": "RELATED",
                "AEOUT": "RECOVERED/RESOLVED",
                "AEDLT": "Y",
                "AESTDTC": format_dates(shift_days(start, onset)[limiting]),
                "AEENDTC": format_dates(shift_days(start, onset + 7)[limiting]),
            }
        )
    )
    return lay_out(blocks, spec, "ae", ["AESTDTC", "AEDECOD"])


def write_components(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``fa.csv``: daily components and grade of CRS, and ICE scores, all 10.

    Grade 2 is fever with hypotension without vasopressor and low-flow oxygen on the
    first day; the later days of an episode are of grade 1 (fever alone).
    """
    users, start = drawn.infused["USUBJID"].to_numpy(), drawn.start
    blocks: list[pd.DataFrame] = []

    def add(
        who: NDArray[np.int64],
        event: str,
        test: tuple[str, str],
        result: NDArray[np.str_] | str,
        day: Array,
        unit: str = "",
        scale: str = "",
    ) -> None:
        blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": users[who],
                    "FAOBJ": event,
                    "FATESTCD": test[0],
                    "FATEST": test[1],
                    "FASCAT": scale,
                    "FAORRES": result,
                    "FAORRESU": unit,
                    "VISIT": "UNSCHEDULED" if event == "CRS" else "ICE SCORE",
                    "FADTC": format_datetimes(shift_days(start[who], day)),
                }
            )
        )

    rng = open_stream(spec.seed, "nk_components")
    length = np.nan_to_num(drawn.crs_end - drawn.crs_onset)
    for number in range(int(np.ceil(length.max(initial=0.0)))):
        who = np.flatnonzero((drawn.crs_grade > 0) & (length > number + 0.05))
        if not who.size:
            continue
        day = drawn.crs_onset[who] + number + 0.05
        severe = (drawn.crs_grade[who] == 2) & (number == 0)
        temperature = np.char.mod("%.1f", 38.3 + 0.9 * rng.uniform(size=who.size))
        add(who, "CRS", ("TEMP", "Temperature"), temperature, day, "C")
        add(who, "CRS", ("HYPOTENS", "Hypotension"), np.where(severe, "Y", "N"), day)
        add(who, "CRS", ("VASOPRES", "Number of Vasopressors"), "0", day)
        oxygen = np.where(severe, "LOW FLOW", "NONE")
        add(who, "CRS", ("OXYGEN", "Oxygen Support"), oxygen, day)
        grade = np.where(severe, "2", "1")
        add(who, "CRS", ("GRADE", "Grade"), grade, day, scale=ASTCT)
    everyone = np.arange(users.size)
    for nominal in spec.safety.ice_days:
        day = np.full(users.size, nominal - 0.01 if nominal == 0 else nominal)
        add(everyone, "ICANS", ("ICE", "ICE Score"), "10", day)
    return lay_out(blocks, spec, "fa", ["FADTC", "FATESTCD"])


def write_responses(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``rs.csv``: the overall response at each visit until progression."""
    rng = open_stream(spec.seed, "nk_assessments")
    users, start, course = drawn.infused["USUBJID"].to_numpy(), drawn.start, drawn.course
    times = draw_actual_times(rng, spec.response.days, users.size)
    best = np.select([course.complete, course.responder, course.stable], ["CR", "PR", "SD"], "PD")
    progressed = np.nan_to_num(course.progression, nan=np.inf)
    done = np.zeros(users.size, dtype=bool)
    blocks = []
    for column, nominal in enumerate(spec.response.days):
        day = times[:, column]
        # A visit that was drawn a day early still sees the progression of its own window.
        status = np.where(progressed <= day, "PD", best)
        seen = np.flatnonzero(~done & (day < course.last_day - 0.5) & (status != ""))
        blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": users[seen],
                    "RSTESTCD": "OVRLRESP",
                    "RSTEST": "Overall Response",
                    "RSCAT": "LUGANO 2014",
                    "RSORRES": [RESPONSE_WORDS[code] for code in status[seen].tolist()],
                    "RSSTRESC": status[seen],
                    "RSEVAL": "INDEPENDENT ASSESSOR",
                    "VISIT": name_visit(spec, nominal),
                    "RSDTC": format_dates(shift_days(start[seen], day[seen])),
                }
            )
        )
        done |= status == "PD"
    return lay_out(blocks, spec, "rs", ["RSDTC"])


def write_tumours(
    spec: CarNkSpecification, drawn: DrawnNk, responses: pd.DataFrame
) -> pd.DataFrame:
    """Lay out ``tr.csv``: size of the tumours at screening and with each assessment of response."""
    rng = open_stream(spec.seed, "nk_tumours")
    users = drawn.infused["USUBJID"].to_numpy()
    before = drawn.infused["BURDEN"].to_numpy(dtype=float)
    place = pd.Index(users).get_indexer(pd.Index(responses["USUBJID"]))
    ratio = draw_size_ratios(rng, responses["RSSTRESC"].to_numpy(dtype=str))
    screening = spec.laboratory.screening_day
    parts = [
        pd.DataFrame(
            {
                "USUBJID": users,
                "TRORRES": format_numbers(before, 4),
                "VISIT": name_visit(spec, screening),
                "TRDTC": format_dates(shift_days(drawn.start, np.full(users.size, screening))),
            }
        ),
        pd.DataFrame(
            {
                "USUBJID": responses["USUBJID"],
                "TRORRES": format_numbers(ratio * before[place], 4),
                "VISIT": responses["VISIT"],
                "TRDTC": responses["RSDTC"],
            }
        ),
    ]
    test = {"TRTESTCD": "SPD", "TRTEST": "Sum of Products of Diameters", "TRORRESU": "mm2"}
    blocks = [part.assign(**test, TRMETHOD="CT SCAN") for part in parts]
    return lay_out(blocks, spec, "tr", ["TRDTC"])


def write_medication(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``cm.csv``: premedication, growth factor, tocilizumab in CRS, new therapy."""
    rng = open_stream(spec.seed, "nk_medication")
    users, start, course = drawn.infused["USUBJID"].to_numpy(), drawn.start, drawn.course
    n = users.size
    blocks: list[pd.DataFrame] = []

    def add(
        given: NDArray[np.bool_],
        drug: str,
        purpose: tuple[str, str],
        dose: tuple[str, str],
        begin: list[str],
        end: list[str],
    ) -> None:
        chosen = np.flatnonzero(given)
        blocks.append(
            pd.DataFrame(
                {
                    "USUBJID": users[chosen],
                    "CMTRT": drug,
                    "CMDECOD": drug,
                    "CMCAT": purpose[0],
                    "CMINDC": purpose[1],
                    "CMDOSE": dose[0],
                    "CMDOSU": dose[1],
                    "CMSTDTC": [begin[i] for i in chosen],
                    "CMENDTC": [end[i] for i in chosen],
                }
            )
        )

    today = format_dates(start)
    premedication = ("SUPPORTIVE", "PREMEDICATION")
    add(np.ones(n, dtype=bool), "PARACETAMOL", premedication, ("650", "mg"), today, today)
    factor = format_dates(shift_days(start, np.full(n, 6.0)))
    factor_end = format_dates(shift_days(start, np.full(n, 10.0)))
    neutropenia = rng.uniform(size=n) < 0.3
    add(neutropenia, "FILGRASTIM", ("SUPPORTIVE", "NEUTROPENIA"), ("300", "ug"), factor, factor_end)
    severe = (drawn.crs_grade >= 2) & (rng.uniform(size=n) < spec.safety.tocilizumab_share)
    begin = shift_days(start, drawn.crs_onset + 0.2)
    add(
        severe,
        "TOCILIZUMAB",
        ("RESCUE", "CYTOKINE RELEASE SYNDROME"),
        ("480", "mg"),
        format_datetimes(begin),
        format_datetimes(shift_days(begin, np.full(n, 1 / 24))),
    )
    later = format_dates(shift_days(start, course.new_therapy))
    add(
        ~np.isnan(course.new_therapy),
        spec.response.new_therapy,
        ("SUBSEQUENT THERAPY", "B-CELL LYMPHOMA"),
        ("1.8", "mg/kg"),
        later,
        [""] * n,
    )
    return lay_out(blocks, spec, "cm", ["CMSTDTC", "CMDECOD"])


def write_dispositions(spec: CarNkSpecification, drawn: DrawnNk) -> pd.DataFrame:
    """Lay out ``ds.csv``: how follow-up ended, or the last contact before the cut-off."""
    course = drawn.course
    ended = course.last_day >= spec.response.follow_up
    reason = np.select(
        [~np.isnan(course.death), course.lost, ended],
        ["DEATH", "LOST TO FOLLOW-UP", "COMPLETED"],
        "LAST CONTACT",
    )
    users = drawn.infused["USUBJID"].to_numpy()
    return write_disposition(spec.study, users, drawn.start, course.last_day, reason, RAW_COLUMNS)
