"""Components of CRS and ICANS by day: checks of FA, and the dataset ADFA."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.astct import (
    CRS,
    ICANS,
    grade_crs,
    grade_icans,
    grade_value,
    list_components,
    read_components,
)
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.grading_scales import ASTCT, LEGACY, choose_scale, is_used, name_scales
from celldossier.study_data.medication import days_that_mask_fever
from celldossier.study_data.parsing import calendar_days, parse_numbers
from celldossier.study_data.repeats import find_repeats
from celldossier.study_data.results import check_not_done
from celldossier.study_data.samples import time_samples
from celldossier.study_data.subjects import Subjects

GRADE = "GRADE"
DAILY_GRADE = {True: "ASTCTGR", False: "SCALEGR"}
"""Parameter of the grade of a day: after ASTCT 2019, or after another scale that the study uses."""

REDERIVED, RECORDED = "REDERIVED", "RECORDED DAILY"
SCORES = ("TEMP", "ICE", "CAPD", "VASOPRES", GRADE)
"""Components whose result is a number."""
LOWEST_COUNTS = ("ICE",)
"""Components of which the lowest result of a day is the worst."""
CALM = {"TEMP": 37.9, "ICE": 10, "CAPD": 8}
"""Result up to which a component shows no event (ICE: from which on); 0 where not named."""
HIGHEST = {"ICE": 10, "CAPD": 32, GRADE: 5}


def derive_adfa(
    fa: Domain,
    subjects: Subjects,
    ages: pd.Series,
    adcm: pd.DataFrame,
    settings: StudyDataSettings,
) -> pd.DataFrame:
    """Dataset ADFA: the components as collected, and one grade a subject, event and day.

    The grade of a day is derived from its components (DTYPE REDERIVED). Where there are
    none, or those that there are leave it open, it is the highest grade recorded on that
    day (DTYPE RECORDED), if its scale is the one that analyses use and the components
    allow that grade.

    Parameters
    ----------
    ages
        Age by subject, years.
    adcm
        Dataset ADCM: after treatment of fever, fever is no longer required for CRS.
    """
    check_not_done(fa, settings)
    times = time_samples(fa, subjects)
    value = _read_values(fa, settings, ages)
    day = calendar_days(fa.dates["FADTC"], subjects.of(fa.subject, "zero"))
    day = day.fillna(np.floor(times["actual"]))
    _check_days(fa, times["actual"], value)
    component = fa.frame["FATESTCD"]
    frame = pd.DataFrame(
        {
            "USUBJID": fa.subject,
            "FAOBJ": fa.frame["FAOBJ"],
            "PARAMCD": component,
            "AVAL": value,
            "AVALC": fa.frame["FAORRES"],
            "FASCAT": name_scales(fa.frame["FASCAT"]).where(component == GRADE, ""),
            "SCALE": fa.frame["FASCAT"],
            "AVISIT": fa.frame["VISIT"],
            "ADTM": fa.dates["FADTC"].text,
            "AFRLT": times["actual"],
            "NFRLT": times["nominal"],
            "ADY": day,
            **fa.trace,
        }
    )
    frame = frame[fa.active].reset_index(drop=True)
    # What was there before the infusion is no part of an event after it.
    grades = derive_daily_grades(frame[frame["AFRLT"] >= 0], ages, adcm, settings)
    both = pd.concat([frame.drop(columns="SCALE"), grades], ignore_index=True)
    return both.astype({"AVAL": "float64"})


def _read_values(fa: Domain, settings: StudyDataSettings, ages: pd.Series) -> pd.Series:
    """Grade that a result stands for, or the number itself; what cannot be read is excluded."""
    criteria = read_components()
    event, component = fa.frame["FAOBJ"], fa.frame["FATESTCD"]
    raw = fa.frame["FAORRES"]
    of_event = pd.Series(False, index=raw.index)
    value = pd.Series(np.nan, index=raw.index, dtype="float64")
    number = parse_numbers(raw)
    for name, components in criteria.items():
        if name not in (CRS, ICANS):
            continue
        of_event |= (event == name) & component.isin(list(components))
        for code, entry in components.items():
            rows = (event == name) & (component == code)
            if "values" in entry:
                value = value.mask(rows, raw.str.upper().map(entry["values"]))
            else:
                value = value.mask(rows, number)
    wrong = fa.active & ~of_event
    fa.report("COMPONENTOFOTHER", wrong, "FATESTCD", event=event)
    fa.exclude(wrong, "NOTINLIST", event + "." + component)
    value = _to_celsius(fa, value, settings)
    highest = component.map(HIGHEST).astype("float64")
    whole = component.isin([name for name in SCORES if name != "TEMP"])
    outside = (
        fa.active & value.notna() & ((value < 0) | (value > highest) | (whole & (value % 1 != 0)))
    )
    outside &= component != "TEMP"
    unread = fa.active & value.isna()
    fa.report("COMPONENTVALUE", unread | outside, "FAORRES", component=component)
    fa.exclude(unread | outside, "BADRESULT", raw)
    _check_age(fa, ages)
    return value


def _to_celsius(fa: Domain, value: pd.Series, settings: StudyDataSettings) -> pd.Series:
    """Temperatures in degrees Celsius; those that no living subject has are found."""
    low, high = settings.safety.plausible_temperature
    temperature = fa.active & (fa.frame["FATESTCD"] == "TEMP")
    unit = fa.frame["FAORRESU"].str.strip().str.upper().str.lstrip("°").str.strip()
    fahrenheit = unit.isin(["F", "DEGF", "FAHRENHEIT"])
    celsius = unit.isin(["", "C", "DEGC", "CELSIUS", "℃"])
    fa.report("TEMPERATUREUNIT", temperature & ~fahrenheit & ~celsius, "FAORRESU")
    fa.exclude(temperature & ~fahrenheit & ~celsius, "BADUNIT", fa.frame["FAORRESU"])
    value = value.mask(temperature & fahrenheit, ((value - 32) * 5 / 9).round(2))
    odd = fa.active & temperature & ((value < low) | (value > high))
    fa.report("TEMPERATURERANGE", odd, "FAORRES", low=format_number(low), high=format_number(high))
    fa.exclude(odd, "BADRESULT", fa.frame["FAORRES"])
    return value


def _check_age(fa: Domain, ages: pd.Series) -> None:
    """Find ICE scores of children and CAPD scores of older subjects."""
    limit = read_components()["ice_from_age"]
    age = pd.Series(ages.reindex(fa.subject).to_numpy(), index=fa.frame.index)
    component = fa.frame["FATESTCD"]
    mismatch = ((component == "ICE") & (age < limit)) | ((component == "CAPD") & (age >= limit))
    fa.report("SCOREAGE", fa.active & mismatch, "FATESTCD", age=age, limit=format_number(limit))


def _check_days(fa: Domain, actual: pd.Series, value: pd.Series) -> None:
    """Find signs of an event before the infusion, and several results of one time."""
    component = fa.frame["FATESTCD"]
    calm = component.map(CALM).astype("float64").fillna(0)
    sign = (value > calm).mask(component.isin(LOWEST_COUNTS), value < calm)
    fa.report(
        "COMPONENTBEFOREDOSE",
        fa.active & (actual < 0) & sign,
        "FAORRES",
        when=fa.dates["FADTC"].text,
    )
    keys = [fa.subject, fa.frame["FAOBJ"], component, fa.dates["FADTC"].text]
    repeats = find_repeats(fa, fa.active, keys)
    repeats.report(fa, "COMPONENTDUPLICATE", "FADTC", component=component)


def derive_daily_grades(
    components: pd.DataFrame, ages: pd.Series, adcm: pd.DataFrame, settings: StudyDataSettings
) -> pd.DataFrame:
    """One grade a subject, event and day.

    Parameters
    ----------
    components
        Records of ADFA as collected, and ``SCALE``, the scale in the file's own words.

    Returns
    -------
    DataFrame
        Records of ADFA: AVAL (the grade), ATOXHI (the worst that the day can be, where
        components are missing), GRADRSN (reason), DTYPE. The trace is that of the first
        record of the day.
    """
    parts = [_grade_days(components, event, ages, adcm, settings) for event in (CRS, ICANS)]
    return pd.concat(parts, ignore_index=True)


def _grade_days(
    components: pd.DataFrame,
    event: str,
    ages: pd.Series,
    adcm: pd.DataFrame,
    settings: StudyDataSettings,
) -> pd.DataFrame:
    own = components[components["FAOBJ"] == event]
    days = _pivot(own, event)
    if event == CRS:
        treatment = days_that_mask_fever(adcm)
        graded = grade_crs(days, treatment, settings.safety.episode_gap_days)
    else:
        age = ages.reindex(days["USUBJID"]).to_numpy(dtype=float)
        graded = grade_icans(days.assign(AGE=age))
    scale = choose_scale(settings.safety)
    # The worst of the day's components; a day that has none but a grade is taken as recorded,
    # as is one whose components allow several grades of which the recorded one is one.
    has = days[list_components(event)].notna().any(axis=1) & (scale == ASTCT)
    used = is_used(own["FASCAT"], own["SCALE"], settings.safety)
    is_grade = own["PARAMCD"] == GRADE
    key = ["USUBJID", "ADY"]
    place = pd.MultiIndex.from_frame(days[key])
    recorded = own[is_grade & used].groupby(key)["AVAL"].max().reindex(place).to_numpy(dtype=float)
    legacy = own[is_grade & ~used].groupby(key).size().reindex(place).notna().to_numpy()
    low = graded["grade"].fillna(0.0)
    allowed = (low < graded["high"]) & (low <= recorded) & (recorded <= graded["high"])
    rederived = graded["grade"].notna() & ~allowed
    from_components = has & (rederived | np.isnan(recorded))
    reason = graded["reason"].where(has, "").mask(~has & np.isnan(recorded) & legacy, LEGACY)
    reason = reason.mask(has & ~from_components, "")
    # By what was recorded, not by the order of the file: that changes nothing.
    origin = own.sort_values(["ADTM", "PARAMCD", "AVAL", "SRCFILE", "SRCROW"], kind="stable")
    origin = origin.drop_duplicates(key).set_index(key).loc[place].reset_index()
    frame = pd.DataFrame(
        {
            "USUBJID": days["USUBJID"],
            "FAOBJ": event,
            "PARAMCD": DAILY_GRADE[scale == ASTCT],
            "AVAL": graded["grade"].where(from_components, recorded),
            "ATOXHI": graded["high"].where(from_components, recorded),
            "ATOXRECN": recorded,
            "FASCAT": scale,
            "DTYPE": np.where(from_components, "REDERIVED", "RECORDED"),
            "GRADSRC": np.where(from_components, REDERIVED, RECORDED),
            "GRADRSN": reason,
            "ADY": days["ADY"],
        }
    )
    taken = ["AVISIT", "ADTM", "AFRLT", "NFRLT", "SRCDOM", "SRCFILE", "SRCROW"]
    return frame.assign(**{name: origin[name].to_numpy() for name in taken})


def _pivot(own: pd.DataFrame, event: str) -> pd.DataFrame:
    """One row a subject and day, one column a component with its worst result of that day."""
    key = ["USUBJID", "ADY"]
    days = own[key].drop_duplicates().sort_values(key, ignore_index=True)
    place = pd.MultiIndex.from_frame(days)
    for name in list_components(event):
        results = own[own["PARAMCD"] == name].groupby(key)["AVAL"]
        worst = results.min() if name in LOWEST_COUNTS else results.max()
        days[name] = worst.reindex(place).to_numpy(dtype=float)
    if event == CRS:
        fever = (days["TEMP"] >= read_components()["fever_from"]).astype(float)
        days["FEVER"] = days["FEVER"].fillna(fever.where(days["TEMP"].notna()))
        days["VASOPRES"] = grade_value(CRS, "VASOPRES", days["VASOPRES"])
    return days
