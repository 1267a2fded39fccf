"""Analysis sets of ADSL, with the reason for each absence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from celldossier.settings.dosing import DosingSettings
from celldossier.study_data.domain import Domain
from celldossier.study_data.samples import TIERS_OF_STATUS, flag, is_before_dose
from celldossier.study_data.subjects import Subjects

MARKER_DOMAINS = ("LB", "QS", "MO", "MI")


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
    reasons = _find_reasons(domains, adsl, datasets, collected, settings)
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
            any(collected.get(name, False) for name in MARKER_DOMAINS),
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
        "NDLTRSN": _find_dlt_reasons(domains, adsl, datasets["ADEX"], settings),
        "NEFFRSN": _reasons(infused, collected["RS"], [(~assessed, "NORSPOST")]),
    }


def _find_dlt_reasons(
    domains: Mapping[str, Domain],
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    settings: DosingSettings,
) -> pd.Series:
    """Why a subject says nothing about dose-limiting toxicity.

    Evaluable are the subjects of the escalation who had their dose within the window and
    were observed for `dlt_period`, or had a dose-limiting toxicity in it.
    """
    dm, ae = domains["DM"], domains["AE"]
    usubjid, infused = adsl["USUBJID"], adsl["TRTSDTM"] != ""
    known = "PART" in dm.given or "AEDLT" in ae.given
    zero = pd.to_datetime(adsl["TRTSDTM"].where(infused), format="ISO8601", errors="coerce")
    toxic = ae.active & (ae.frame["AEDLT"] == "Y")
    start = ae.dates["AESTDTC"].time[toxic].dt.floor("D")
    began = pd.Series(zero.dt.floor("D").to_numpy(), index=pd.Index(usubjid))
    day = (start - began.reindex(ae.subject[toxic]).set_axis(start.index)).dt.days
    dlt = usubjid.isin(ae.subject[toxic][day.between(0, settings.dlt_period)])
    first = adex[adex["DOSENO"] == 1].drop_duplicates("USUBJID").set_index("USUBJID")
    outside = usubjid.map(first["INWINFL"]).eq("N")
    short = ~(adsl["LSTDY"] >= settings.dlt_period) & ~dlt
    other_part = ~adsl["PART"].isin(["ESCALATION", ""])
    absences = [(other_part, "NOTESCAL"), (outside, "DOSEOUT"), (short, "SHORTFU")]
    return _reasons(infused, known, absences)


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
