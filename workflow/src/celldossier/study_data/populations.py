"""Analysis sets of ADSL, with the reason for each absence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from celldossier.settings.dosing import BASES, DosingSettings
from celldossier.settings.sources import DOMAINS_OF
from celldossier.study_data.amounts import SHORT, find_window, is_in_window
from celldossier.study_data.domain import Domain
from celldossier.study_data.parsing import is_before
from celldossier.study_data.samples import TIERS_OF_STATUS, flag, is_before_dose
from celldossier.study_data.subjects import Subjects

ROUNDING = 1e-9


def derive_populations(
    domains: Mapping[str, Domain],
    subjects: Subjects,
    adsl: pd.DataFrame,
    datasets: Mapping[str, pd.DataFrame],
    settings: DosingSettings,
) -> dict[str, pd.Series]:
    """Flags and reasons of the analysis sets, aligned with `adsl`.

    Parameters
    ----------
    domains
        Raw domains after mapping, by name; a set whose domain was not collected has the reason
        NOTCOLL.
    """
    dm = domains["DM"]
    collected = {name: domain.collected for name, domain in domains.items()}
    usubjid = adsl["USUBJID"]
    none = pd.Series("", index=usubjid.index, dtype=object)

    def given(variable: str, condition: pd.Series) -> pd.Series:
        """Flag, or blank where the study did not collect the variable."""
        if variable not in dm.given:
            return none
        return flag(condition[dm.active].reset_index(drop=True))

    enrolled = given("RFICDTC", dm.frame["RFICDTC"] != "")
    released = subjects.frame["released"].reindex(dm.subject).eq(True).reset_index(drop=True)
    infused = adsl["TRTSDTM"] != ""
    reasons = _find_reasons(domains, subjects, adsl, datasets, collected, settings)
    stated = dm.frame["NOINFRSN"][dm.active].reset_index(drop=True)
    leukapheresed = given("LEUKDTC", dm.frame["LEUKDTC"] != "")
    manufactured = given("MFGSTAT", released)
    status = dm.frame["MFGSTAT"][dm.active].reset_index(drop=True)
    return {
        "ENRLFL": enrolled if "RFICDTC" in dm.given else flag(pd.Series(True, usubjid.index)),
        "LEUKFL": leukapheresed,
        "MANUFL": manufactured,
        "SAFFL": flag(infused),
        "PKFL": flag(reasons["NPKRSN"] == ""),
        "PDFL": flag(reasons["NPDRSN"] == ""),
        "IMFL": flag(reasons["NIMRSN"] == ""),
        "ERFL": flag(reasons["NERRSN"] == ""),
        "DLTEVLFL": flag(reasons["NDLTRSN"] == ""),
        "EFFFL": flag(reasons["NEFFRSN"] == ""),
        "NLEUKRSN": _state_reason(leukapheresed, stated, "NOLEUK"),
        "NMANURSN": _state_reason(
            manufactured, status.mask(leukapheresed.eq("N"), "NOLEUK"), "NOMANU"
        ),
        "NSAFRSN": none.where(infused, stated.where(stated != "", "NOTINFUSED")),
        **reasons,
    }


def _state_reason(flags: pd.Series, stated: pd.Series, otherwise: str) -> pd.Series:
    """What the study states of those who are not in a set, else a code; "" for the others."""
    reason = stated.where(stated != "", otherwise).where(flags == "N", "")
    return reason.mask(flags == "", "NOTCOLL")


def _find_reasons(
    domains: Mapping[str, Domain],
    subjects: Subjects,
    adsl: pd.DataFrame,
    datasets: Mapping[str, pd.DataFrame],
    collected: Mapping[str, bool],
    settings: DosingSettings,
) -> dict[str, pd.Series]:
    usubjid, infused = adsl["USUBJID"], adsl["TRTSDTM"] != ""
    kinetics, markers, ada = datasets["ADPC"], datasets["ADPD"], datasets["ADAB"]
    sampled = _have(usubjid, kinetics, (kinetics["ANL01FL"] == "Y") & (kinetics["AFRLT"] > 0))
    tested = ada["ISCAT"].isin(TIERS_OF_STATUS)
    response = datasets["ADRS"]
    # Adverse events are recorded for all infused subjects, so that none is an assessment too.
    endpoint = _have(usubjid, response, response["AFRLT"] > 0) | collected["AE"] | collected["FA"]
    assessed = _have(usubjid, response, (response["AFRLT"] > 0) & (response["RESPFL"] != ""))
    return {
        "NPKRSN": _reasons(infused, collected["PC"], [(~sampled, "NOCK")]),
        "NPDRSN": _reasons(
            infused,
            any(collected.get(name, False) for name in DOMAINS_OF["PD"]),
            [
                (
                    ~_have(usubjid, markers, is_before_dose(markers["AFRLT"], markers["NFRLT"])),
                    "NOPDBASE",
                ),
                (~_have(usubjid, markers, markers["AFRLT"] > 0), "NOPDPOST"),
            ],
        ),
        "NIMRSN": _reasons(
            infused,
            collected["IS"],
            [
                (
                    ~_have(usubjid, ada, tested & is_before_dose(ada["AFRLT"], ada["NFRLT"])),
                    "NOADABASE",
                ),
                (~_have(usubjid, ada, tested & (ada["AFRLT"] > 0)), "NOADAPOST"),
            ],
        ),
        "NERRSN": _reasons(
            infused,
            collected["PC"] and (collected["RS"] or collected["AE"] or collected["FA"]),
            [(~(infused & sampled), "NOCK"), (~endpoint, "NOENDPOINT")],
        ),
        "NDLTRSN": _find_dlt_reasons(domains, subjects, adsl, datasets["ADEX"], settings),
        "NEFFRSN": _reasons(infused, collected["RS"], [(~assessed, "NORSPOST")]),
    }


def _find_dlt_reasons(
    domains: Mapping[str, Domain],
    subjects: Subjects,
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    settings: DosingSettings,
) -> pd.Series:
    """Why a subject says nothing about dose-limiting toxicity (DLT).

    Evaluable are the subjects of the escalation who had their dose, all its fractions together,
    within the window and were observed for `dlt_period`, or had a DLT in it. Days are those of
    the calendar, the infusion is on day 0: a sample of the last day, drawn an hour earlier than
    the infusion was, still is one of that day.
    """
    dm, ae = domains["DM"], domains["AE"]
    usubjid, infused = adsl["USUBJID"], adsl["TRTSDTM"] != ""
    # A column that was left blank was collected where there is an escalation; none was not.
    column = any(part.raw_columns.get("AEDLT") in part.columns for part in ae.parts)
    known = "AEDLT" in ae.given or ("PART" in dm.given and column)
    dlt = usubjid.isin(ae.subject[_find_dlts(ae, subjects, settings.dlt_period)])
    outside = usubjid.map(_judge_first_dose(adex, settings)).eq("N")
    zero = pd.to_datetime(adsl["TRTSDTM"].where(infused), format="ISO8601", errors="coerce")
    hour = (zero - zero.dt.floor("D")) / pd.Timedelta(days=1)
    last = np.floor(adsl["LSTDY"] + hour + ROUNDING)
    short = ~(last >= settings.dlt_period) & ~dlt
    other_part = ~adsl["PART"].isin(["ESCALATION", ""])
    absences = [(other_part, "NOTESCAL"), (outside, "DOSEOUT"), (short, "SHORTFU")]
    return _reasons(infused, known, absences)


def _find_dlts(ae: Domain, subjects: Subjects, period: float) -> pd.Series:
    """Records of DLTs that began, or by a date in part may have begun, in the period.

    One without any date counts too, unless it had ended before the infusion: to leave it out
    would be the less safe error.
    """
    zero = subjects.of(ae.subject, "zero")
    start, end = ae.dates["AESTDTC"], ae.dates["AEENDTC"]
    timed = pd.Series(True, index=zero.index)
    first, last = ((day - zero.dt.floor("D")).dt.days for day in (start.first_day, start.last_day))
    earlier = is_before(start, zero, timed) | (last < 0) | is_before(end, zero, timed)
    earlier |= end.partial & (end.last_day < zero.dt.floor("D"))
    found: pd.Series = ae.active & (ae.frame["AEDLT"] == "Y") & ~earlier & ~(first > period)
    return found


def _judge_first_dose(adex: pd.DataFrame, settings: DosingSettings) -> pd.Series:
    """Whether the first planned dose, its fractions added up, is in its window: Y, N or blank."""
    first = adex[adex["DOSENO"] == 1].drop_duplicates("USUBJID").set_index("USUBJID")
    windows = {SHORT[basis]: find_window(basis, settings) for basis in BASES}
    split = (first["NFRAC"] > 1) & first["SUMRAT"].notna() & first["DOSEBAS"].isin(windows)
    inside = pd.Series(False, index=first.index)
    for name, window in windows.items():
        inside |= (first["DOSEBAS"] == name) & is_in_window(first["SUMRAT"], window)
    return first["INWINFL"].mask(split, flag(inside))


def _have(usubjid: pd.Series, dataset: pd.DataFrame, rows: pd.Series) -> pd.Series:
    return usubjid.isin(dataset["USUBJID"][rows])


def _reasons(
    infused: pd.Series, collected: bool, absences: list[tuple[pd.Series, str]]
) -> pd.Series:
    """First reason that keeps a subject out of a population; "" where there is none."""
    rules = [(pd.Series(not collected, index=infused.index), "NOTCOLL"), (~infused, "NOTINFUSED")]
    rules += absences
    reason = np.select([rule for rule, _ in rules], [code for _, code in rules], default="")
    return pd.Series(reason, index=infused.index, dtype=object)
