"""Safety as a whole: components, events, medication and episodes in the order they need."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.astct import CRS
from celldossier.study_data.components import GRADE, derive_adfa
from celldossier.study_data.domain import Domain
from celldossier.study_data.episodes import number_episodes
from celldossier.study_data.events import (
    check_outcomes,
    derive_adae,
    derive_missing_events,
    list_graded,
    regrade_events,
    report_rows,
)
from celldossier.study_data.grading_scales import check_scales, name_scales
from celldossier.study_data.medication import check_indications, relate_to_events
from celldossier.study_data.parsing import calendar_days
from celldossier.study_data.special_interest import derive_adaesi, find_cytopenia
from celldossier.study_data.subjects import Subjects


def derive_safety(
    mapped: Mapping[str, Domain],
    subjects: Subjects,
    adcm: pd.DataFrame,
    adex: pd.DataFrame,
    adpd: pd.DataFrame,
    settings: StudyDataSettings,
) -> dict[str, pd.DataFrame]:
    """Datasets ADFA, ADAE, ADAESI, and ADCM with its relation to CRS and ICANS.

    Parameters
    ----------
    adcm
        As `celldossier.study_data.medication.derive_adcm` gives it.
    """
    dm, ae, fa, cm = (mapped[name] for name in ("DM", "AE", "FA", "CM"))
    ages = dm.numbers["AGE"][dm.active]
    ages.index = pd.Index(dm.subject[dm.active])
    deaths = _death_days(dm, subjects)
    adfa = derive_adfa(fa, subjects, ages, adcm, settings)
    adae = derive_adae(ae, subjects, settings)
    if not fa.usable:
        adfa = adfa.iloc[:0]
    daily = adfa[adfa["DTYPE"].fillna("") != ""].rename(columns={"FAOBJ": "AESI"})
    daily = daily[daily["ADY"] >= 0].reset_index(drop=True)
    blood = find_cytopenia(adpd, settings.safety)
    adae, daily, blood = _number(adae, daily, blood, settings)
    _check_fever(ae, adae, fa, adfa)
    adae = regrade_events(ae, adae, daily, settings)
    check_scales(
        {
            domain.name: (domain, rows)
            for domain, rows in ((ae, list_graded(adae, ae)), (fa, _list_recorded(adfa, fa)))
        },
        settings.safety,
    )
    adae = derive_missing_events(adae, daily)
    if ae.collected and ae.usable:
        rows = adae["DTYPE"] == "EPISODE"
        report_rows(fa, adae, "EVENTNOTREPORTED", rows, "FAOBJ", grade=adae["ATOXGRN"])
    after = dm.after_cutoff.get("DTHDTC", pd.Series(False, index=dm.frame.index))
    check_outcomes(ae, adae, subjects, deaths, set(dm.subject[after]))
    special = adae[(adae["AESI"] != "") & adae["EPISODE"].notna()]
    adaesi = derive_adaesi(
        pd.concat([special, blood], ignore_index=True) if len(blood) else special,
        daily,
        adex,
        adcm,
        deaths.dropna(subset="day"),
    )
    check_indications(cm, adcm, adaesi)
    return {
        "ADFA": adfa,
        "ADAE": adae.drop(columns=["first", "last"]),
        "ADAESI": adaesi,
        "ADCM": relate_to_events(adcm, adaesi),
    }


def _death_days(dm: Domain, subjects: Subjects) -> pd.DataFrame:
    """Subjects with a date of death: its whole days from the first infusion, and its flag."""
    rows = dm.active & (dm.dates["DTHDTC"].text != "")
    day = calendar_days(dm.dates["DTHDTC"], subjects.of(dm.subject, "zero"))
    return pd.DataFrame(
        {
            "day": day[rows].to_numpy(),
            "imputed": dm.dates["DTHDTC"].imputed[rows].to_numpy(dtype=object),
        },
        index=pd.Index(dm.subject[rows]),
    )


def _number(
    adae: pd.DataFrame, daily: pd.DataFrame, blood: pd.DataFrame, settings: StudyDataSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Number the episodes over reports, days and laboratory values together."""
    emergent = (adae["AESI"] != "") & (adae["TRTEMFL"] == "Y")
    present = daily[daily["AVAL"] >= 1]
    days = present.assign(first=present["ADY"], last=present["ADY"])
    parts = [adae[emergent], days, blood]
    spans = [
        part[["USUBJID", "AESI", "first", "last"]]
        .astype({"first": "float64", "last": "float64"})
        .assign(part=number)
        for number, part in enumerate(parts)
    ]
    every = pd.concat(spans)
    number = number_episodes(every.reset_index(drop=True), settings.safety.episode_gap_days)
    number.index = pd.MultiIndex.from_arrays([every["part"], every.index])

    def of(frame: pd.DataFrame, part: int) -> pd.DataFrame:
        own = number[number.index.get_level_values(0) == part].droplevel(0)
        return frame.assign(EPISODE=own.reindex(frame.index).astype("float64"))

    return of(adae, 0), of(daily, 1), of(blood, 2)


def _check_fever(ae: Domain, adae: pd.DataFrame, fa: Domain, adfa: pd.DataFrame) -> None:
    """Find CRS whose components lack fever: never recorded, or never there."""
    own = adfa[
        (adfa["FAOBJ"] == CRS) & (adfa["PARAMCD"].isin(["TEMP", "FEVER", "OXYGEN", "HYPOTENS"]))
    ]
    with_components = set(own["USUBJID"])
    fever = own[own["PARAMCD"].isin(["TEMP", "FEVER"])]
    recorded = set(fever["USUBJID"])
    there = set(
        fever.loc[
            ((fever["PARAMCD"] == "TEMP") & (fever["AVAL"] >= 38.0))
            | ((fever["PARAMCD"] == "FEVER") & (fever["AVAL"] == 1)),
            "USUBJID",
        ]
    )
    crs = ae.active & ae.subject.isin(adae.loc[adae["AESI"] == CRS, "USUBJID"])
    rows = adae[(adae["AESI"] == CRS) & adae["EPISODE"].notna()]
    place = pd.MultiIndex.from_frame(rows[["SRCFILE", "SRCROW"]])
    crs &= pd.Series(
        pd.MultiIndex.from_frame(ae.frame[["SRCFILE", "SRCROW"]]).isin(place), index=ae.frame.index
    )
    collected = fa.usable and fa.collected
    without = crs & ~ae.subject.isin(recorded) & ae.subject.isin(with_components)
    ae.report("CRSFEVERMISSING", without & collected, "AEDECOD")
    ae.report("CRSWITHOUTFEVER", crs & ae.subject.isin(recorded - there), "AEDECOD")


def _list_recorded(adfa: pd.DataFrame, fa: Domain) -> pd.DataFrame:
    """Grades of a day that stand in for components: ``event``, ``scale``, ``text``."""
    place = ["SRCFILE", "SRCROW"]
    text = fa.frame.set_index(place)["FASCAT"]
    key = ["USUBJID", "FAOBJ", "ADY"]
    days = adfa[adfa["DTYPE"].eq("RECORDED")]
    own = adfa[(adfa["PARAMCD"] == GRADE) & ~adfa["DTYPE"].isin(["RECORDED", "REDERIVED"])]
    alone = pd.MultiIndex.from_frame(own[key]).isin(pd.MultiIndex.from_frame(days[key]))
    own = own[alone]
    words = pd.Series(
        text.reindex(pd.MultiIndex.from_frame(own[place])).to_numpy(), index=own.index, dtype=object
    )
    return pd.DataFrame({"event": own["FAOBJ"], "scale": name_scales(words), "text": words})
