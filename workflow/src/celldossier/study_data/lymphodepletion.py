"""Lymphodepletion: the dataset ADLD, and its depth by subject for ADSL.

A lymphodepleting drug is a record of EX with EXCAT = LYMPHODEPLETION or of CM whose class
(`study_data.medication_classes`) is LYMPHODEPLETION. Where a subject has a drug in both, the
records of EX count. A record belongs to the next infusion of the cell product on or after
its day; those after the last one belong to none and stand under the number 0, as do those
of subjects without infusion.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from celldossier.settings.dosing import LymphodepletionSettings
from celldossier.study_data.administrations import count_administrations, list_days
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.parsing import parse_dates
from celldossier.study_data.samples import flag
from celldossier.study_data.subjects import Subjects
from celldossier.study_data.units import UnitTable

CLASS = "LYMPHODEPLETION"
KEY = ["USUBJID", "LDNO", "LDTRT"]
REGIMEN_SHARE = 0.5
"""A drug of more than so many of the infused subjects belongs to the regimen."""


def list_drug_records(adex: pd.DataFrame, adcm: pd.DataFrame, subjects: Subjects) -> pd.DataFrame:
    """Each administration of a lymphodepleting drug, with the infusion it belongs to.

    Returns
    -------
    DataFrame
        ``USUBJID``, ``LDTRT``, ``LDNO`` (number of the infusion that follows, 0 where none
        does), ``dose`` of one administration, ``planned``, ``unit``, ``start`` and ``end``
        (text), ``count``, ``length`` and ``reason`` (see `count_administrations`), ``date``
        (datetime64), ``day`` (whole days from the first infusion), ``to_infusion`` (whole
        days from the infusion that follows) and the source variables.
    """
    source = ["SRCDOM", "SRCFILE", "SRCROW"]
    drugs = adex[adex["EXCAT"] == CLASS]
    medicines = adcm[adcm["CMCLASS"] == CLASS]
    parts = [
        pd.DataFrame(
            {
                "USUBJID": rows["USUBJID"],
                "LDTRT": rows[name].str.upper().str.strip(),
                "dose": rows[dose],
                "planned": rows[plan] if plan else np.nan,
                "unit": rows[unit],
                "start": rows[start],
                "end": rows["AENDTM"],
                "frequency": rows[frequency],
                "imputed": (rows["ASTDTF"] != "") | (rows["AENDTF"] != "") if flags else False,
                **{variable: rows[variable] for variable in source},
            }
        )
        for rows, name, dose, plan, unit, start, frequency, flags in (
            (drugs, "EXTRT", "DOSEA", "DOSEP", "DOSEU", "ADTM", "EXDOSFRQ", False),
            (medicines, "CMDECOD", "CMDOSE", "", "CMDOSU", "ASTDTM", "CMDOSFRQ", True),
        )
    ]
    in_ex = pd.MultiIndex.from_frame(parts[0][["USUBJID", "LDTRT"]])
    twice = pd.MultiIndex.from_frame(parts[1][["USUBJID", "LDTRT"]]).isin(in_ex)
    records = pd.concat([parts[0], parts[1][~twice]], ignore_index=True)
    records["dose"] = records["dose"].astype("float64")
    records["planned"] = records["planned"].astype("float64")
    records["imputed"] = records["imputed"].astype(bool)
    records = records.join(count_administrations(records))
    date = parse_dates(records["start"].astype(str)).time.dt.floor("D")
    zero = subjects.of(records["USUBJID"], "zero").dt.floor("D")
    records["date"] = date
    records["day"] = (date - zero).dt.days.astype("float64")
    return _find_infusion(records, adex)


def _find_infusion(records: pd.DataFrame, adex: pd.DataFrame) -> pd.DataFrame:
    """Add the infusion that follows each record."""
    infusions = adex[adex["DOSENO"].notna()]
    infusions = pd.DataFrame(
        {
            "USUBJID": infusions["USUBJID"],
            "LDNO": infusions["DOSENO"],
            "infused": parse_dates(infusions["ADTM"].astype(str)).time.dt.floor("D"),
        }
    ).sort_values("infused", kind="stable")
    known = records[records["date"].notna()].sort_values("date", kind="stable")
    found = pd.merge_asof(
        known.reset_index(),
        infusions,
        left_on="date",
        right_on="infused",
        by="USUBJID",
        direction="forward",
    ).set_index("index")
    number = found["LDNO"].reindex(records.index).fillna(0.0)
    to_infusion = (found["date"] - found["infused"]).dt.days.reindex(records.index)
    return records.assign(LDNO=number, to_infusion=to_infusion.astype("float64"))


def derive_adld(
    records: pd.DataFrame, adex: pd.DataFrame, settings: LymphodepletionSettings
) -> pd.DataFrame:
    """Dataset ADLD: one record a subject, lymphodepletion and drug.

    Infused subjects without a drug of the regimen have a record for it that says omitted
    (LDOMFL = Y); its source is the first infusion.
    """
    ordered = records.sort_values(["date", "SRCROW"], kind="stable")
    ordered = ordered.assign(
        given=ordered["dose"] * ordered["count"],
        wanted=ordered["planned"] * ordered["count"],
        plan=ordered["planned"] * ordered["count"] / ordered["length"],
        last=ordered["to_infusion"] + ordered["length"] - 1,
    )
    groups = ordered.groupby(KEY, sort=True)
    unit = groups["unit"].agg(lambda units: units.iloc[0] if units.nunique() == 1 else "")
    frame = groups.agg(
        LDDOSEA=("dose", "mean"),
        LDDOSEP=("plan", "mean"),
        LDTOTA=("given", lambda doses: doses.sum(skipna=False)),
        total=("wanted", lambda doses: doses.sum(skipna=False)),
        # The reasons of records whose doses cannot be counted; "" sorts first.
        LDRSN=("reason", "max"),
        LDSTDY=("to_infusion", "min"),
        LDENDY=("last", "max"),
        AFRLT=("day", "min"),
        ASTDTM=("start", "first"),
        AENDTM=("end", "last"),
        SRCDOM=("SRCDOM", "first"),
        SRCFILE=("SRCFILE", "first"),
        SRCROW=("SRCROW", "first"),
    ).reset_index()
    frame["LDDOSEU"] = unit.to_numpy()
    frame["LDDAYS"] = list_days(ordered).groupby(KEY, sort=True)["date"].nunique().to_numpy()
    # Doses in several units have neither mean nor sum.
    mixed = frame["LDDOSEU"] == ""
    frame[["LDDOSEA", "LDTOTA"]] = frame[["LDDOSEA", "LDTOTA"]].mask(mixed, axis=0)
    frame = _add_plan(frame, settings)
    omitted = _list_omitted(frame, adex, settings)
    frame["LDOMFL"] = "N"
    frame["LDDOSED"] = frame["LDTOTA"] / frame["LDDAYS"].where(frame["LDDAYS"] > 0)
    return pd.concat([frame.drop(columns="total"), omitted], ignore_index=True)


def _add_plan(frame: pd.DataFrame, settings: LymphodepletionSettings) -> pd.DataFrame:
    """Planned dose, days and total: of the records, else of the protocol in the same unit."""
    plan = {name.casefold(): drug for name, drug in settings.plan.items()}
    drugs = [plan.get(name.casefold()) for name in frame["LDTRT"]]
    same = [
        drug is not None and drug.unit.casefold() == unit.casefold()
        for drug, unit in zip(drugs, frame["LDDOSEU"], strict=True)
    ]
    dose = [drug.dose if drug and ok else np.nan for drug, ok in zip(drugs, same, strict=True)]
    days = [float(drug.days) if drug else np.nan for drug in drugs]
    frame["LDDOSEP"] = frame["LDDOSEP"].fillna(pd.Series(dose, index=frame.index, dtype="float64"))
    frame["LDDAYSP"] = pd.Series(days, index=frame.index, dtype="float64")
    by_plan = frame["LDDOSEP"] * frame["LDDAYSP"]
    frame["LDTOTP"] = by_plan.fillna(frame["total"]).mask(frame["LDDOSEU"] == "")
    ratio = frame["LDTOTA"] / frame["LDTOTP"].where(frame["LDTOTP"] > 0)
    apart = (ratio - 1).abs() > settings.tolerance + 1e-9
    frame["LDRATIO"] = ratio
    frame["LDDEVFL"] = flag(apart).where(ratio.notna(), "")
    return frame


def find_regimen(
    adld: pd.DataFrame, adex: pd.DataFrame, settings: LymphodepletionSettings
) -> list[str]:
    """Drugs of the regimen: those of the plan, else those that most infused subjects had."""
    if settings.plan:
        return sorted(settings.plan)
    infused = set(adex["USUBJID"][adex["DOSENO"] == 1])
    given = adld[(adld["LDNO"] == 1) & adld["USUBJID"].isin(infused)]
    counts = given.groupby("LDTRT")["USUBJID"].nunique()
    return sorted(counts.index[counts > REGIMEN_SHARE * len(infused)])


def _list_omitted(
    adld: pd.DataFrame, adex: pd.DataFrame, settings: LymphodepletionSettings
) -> pd.DataFrame:
    first = adex[adex["DOSENO"] == 1].drop_duplicates("USUBJID")
    regimen = find_regimen(adld, adex, settings) if len(adld) else []
    wanted = first[["USUBJID", "SRCDOM", "SRCFILE", "SRCROW"]].merge(
        pd.DataFrame({"LDTRT": pd.Series(regimen, dtype=object)}), how="cross"
    )
    had = pd.MultiIndex.from_frame(adld.loc[adld["LDNO"] == 1, ["USUBJID", "LDTRT"]])
    absent = wanted[~pd.MultiIndex.from_frame(wanted[["USUBJID", "LDTRT"]]).isin(had)]
    return absent.assign(LDNO=1.0, LDDAYS=0.0, LDTOTA=0.0, LDOMFL="Y", LDDEVFL="Y")


def check_lymphodepletion(
    ex: Domain,
    cm: Domain,
    records: pd.DataFrame,
    adld: pd.DataFrame,
    settings: LymphodepletionSettings,
) -> None:
    """Check the drugs in time and dose, and find subjects who lack one."""
    infused = set(ex.subject[ex.active & (ex.frame["EXCAT"] != CLASS)])
    rows = _rows_of(ex, records)
    number, to_infusion = rows["LDNO"], rows["to_infusion"]
    drug = ex.frame["EXTRT"]
    late = (number == 0) & ex.subject.isin(infused)
    ex.report("LDAFTERINFUSION", ex.active & late, "EXSTDTC", drug=drug)
    early = to_infusion < -settings.earliest
    limit = format_number(settings.earliest)
    days = to_infusion.abs()
    ex.report("LDTOOEARLY", ex.active & early, "EXSTDTC", drug=drug, days=days, limit=limit)
    for domain in (ex, cm):
        uncounted = _rows_of(domain, records[records["reason"] != ""])
        interval = domain.active & uncounted["LDTRT"].notna()
        given = uncounted["LDTRT"].fillna("")
        domain.report("LDFREQUENCY", interval, f"{domain.name}ENDTC", drug=given)
        own = adld[(adld["SRCDOM"] == domain.name) & (adld["LDOMFL"] == "N")]
        found = _rows_of(domain, own)
        domain.report(
            "LDDOSE",
            domain.active & (found["LDDEVFL"] == "Y"),
            f"{domain.name}DOSE",
            drug=found["LDTRT"].fillna(""),
            actual=found["LDTOTA"],
            planned=found["LDTOTP"],
            unit=found["LDDOSEU"].fillna(""),
            ratio=found["LDRATIO"].round(3),
        )
    omitted = adld[adld["LDOMFL"] == "Y"].sort_values(["USUBJID", "LDTRT"])
    for subject, name in zip(omitted["USUBJID"], omitted["LDTRT"], strict=True):
        ex.report_file("LDMISSING", subject=subject, drug=name)


def _rows_of(domain: Domain, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of a frame aligned with the records of a domain that they come from."""
    own = frame[frame["SRCDOM"] == domain.name].drop_duplicates(["SRCFILE", "SRCROW"])
    keys = pd.MultiIndex.from_arrays([domain.frame["SRCFILE"], domain.frame["SRCROW"]])
    return own.set_index(["SRCFILE", "SRCROW"]).reindex(keys).set_index(domain.frame.index)


def summarise_lymphodepletion(
    usubjid: pd.Series,
    adld: pd.DataFrame,
    adpd: pd.DataFrame,
    settings: LymphodepletionSettings,
) -> dict[str, pd.Series]:
    """Variables of ADSL on lymphodepletion before the first infusion, aligned with `usubjid`.

    The depth is the loss of lymphocytes, in percent, from the last count before the first
    drug to the lowest one from then until `nadir_until` days after the infusion. A result
    below the limit of quantitation stands as that limit and is flagged: the value is at
    most so high. The loss from an unknown first count is not known.
    """
    given = adld[(adld["LDNO"] == 1) & (adld["LDOMFL"] == "N")]
    regimen = given.sort_values("LDTRT").groupby("USUBJID")["LDTRT"].agg(" + ".join)
    began = usubjid.map(given.groupby("USUBJID")["AFRLT"].min()).astype("float64")
    start = pd.Series(began.to_numpy(), index=pd.Index(usubjid))
    columns: dict[str, pd.Series] = {"LDREG": usubjid.map(regimen).fillna("")}
    collected = len(adld) > 0
    had = usubjid.isin(given["USUBJID"])
    columns["LDFL"] = flag(had) if collected else pd.Series("", index=usubjid.index)
    last = -given.groupby("USUBJID")["LDENDY"].max()
    columns["LDINFDY"] = usubjid.map(last).astype("float64")
    values = {
        name: _select(adpd, analyte, unit)
        for name, analyte, unit in (
            ("ALC", settings.lymphocytes, "10^9/L"),
            ("WBC", settings.leukocytes, "10^9/L"),
            ("IL7", settings.il7, "pg/mL"),
            ("IL15", settings.il15, "pg/mL"),
        )
    }
    for name in ("ALC", "WBC"):
        lowest = _find_nadir(values[name], start, settings.nadir_until)
        columns[f"{name}NAD"] = usubjid.map(lowest["value"]).astype("float64")
        columns[f"{name}NADY"] = usubjid.map(lowest["day"]).astype("float64")
        columns[f"{name}NBLQ"] = usubjid.map(lowest["blq"]).fillna("")
        earlier = values[name]["day"] < values[name]["USUBJID"].map(start).astype("float64")
        columns[f"{name}PRELD"], columns[f"{name}PBLQ"] = _find_last(usubjid, values[name][earlier])
    for name, results in values.items():
        window = results["day"].between(-settings.at_infusion_window, 0)
        columns[f"{name}INF"], columns[f"{name}IBLQ"] = _find_last(usubjid, results[window])
    reference = columns["ALCPRELD"].mask(columns["ALCPBLQ"] == "Y")
    columns["ALCDEPL"] = 100 * (1 - columns["ALCNAD"] / reference.where(reference > 0))
    return columns


def _select(adpd: pd.DataFrame, analyte: str, unit: str) -> pd.DataFrame:
    """Results of an analyte in a unit, in order of time: USUBJID, day, value, blq.

    Below the limit of quantitation the value is that limit and ``blq`` is Y.
    """
    rows = adpd[(adpd["PARAMCD"] == analyte) & adpd["AFRLT"].notna()]
    table = UnitTable()
    factors = {text: table.factor(text, unit) for text in rows["AVALU"].unique()}
    bound = rows["ALLOQ"].where(rows["BLQFL"] == "Y")
    value = rows["AVAL"].fillna(bound) * rows["AVALU"].map(factors).astype("float64")
    result = pd.DataFrame(
        {"USUBJID": rows["USUBJID"], "day": rows["AFRLT"], "value": value, "blq": rows["BLQFL"]}
    )
    order = ["USUBJID", "day", "value"]
    return result[value.notna()].sort_values(order, kind="stable", ignore_index=True)


def _find_last(usubjid: pd.Series, results: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Last result of each subject, and whether it lies below the limit ("" without one)."""
    last = results.drop_duplicates("USUBJID", keep="last").set_index("USUBJID")
    return usubjid.map(last["value"]).astype("float64"), usubjid.map(last["blq"]).fillna("")


def _find_nadir(
    counts: pd.DataFrame, start: Mapping[str, float] | pd.Series, until: float
) -> pd.DataFrame:
    """Lowest value from the first drug (else the infusion) on, the first of equals."""
    begin = counts["USUBJID"].map(start).astype("float64").fillna(0.0)
    inside = counts[(counts["day"] >= begin) & (counts["day"] <= until)]
    # Of two equal values the one below the limit is the lower.
    lowest = inside.assign(above=inside["blq"] != "Y")
    lowest = lowest.sort_values(["USUBJID", "value", "above", "day"], kind="stable")
    return lowest.drop_duplicates("USUBJID").set_index("USUBJID")[["value", "day", "blq"]]
