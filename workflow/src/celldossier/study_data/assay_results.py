"""Results of all assays in one list, with version and run, held against what was declared.

The version of a result is that of its record, else that of its run, else the only one of its
assay. Where nothing says when a sample was analysed, its collection stands in: who analyses
later than the last valid day is then known, who analyses earlier than the first is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from celldossier.settings.bioanalysis import Assay
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number

SAMPLED = {
    "ADPC": ("PCASSAYV", "PCNAM"),
    "ADPD": ("ASSAYV", "ALABNAM"),
    "ADAB": ("ASSAYV", "ISNAM"),
}
"""Datasets of results: their variables of version and laboratory."""
TRACE = ["SRCDOM", "SRCFILE", "SRCROW"]
_COLUMNS = [
    *("USUBJID", "REFID", "RUNID", "AVAL", "BLQFL", "ALQFL", "ALLOQ", "AULOQ"),
    *("ADTM", *TRACE),
]
_JOIN = "\x00"
NUMBERS = ("lod", "lloq", "uloq", "stability_days")


def tabulate_versions(assays: Sequence[Assay]) -> pd.DataFrame:
    """Declared versions: ``PARAMCD``, ``VERSION`` and the facts of the settings."""
    rows = [
        {
            "PARAMCD": assay.analyte,
            "VERSION": own.version,
            "N_VERSIONS": len(assay.complete_versions),
            "laboratory": own.laboratory,
            "valid_from": own.valid_from,
            "valid_until": own.valid_until,
            **{name: getattr(own, name) for name in NUMBERS},
        }
        for assay in assays
        for own in assay.complete_versions
    ]
    columns = [
        *("PARAMCD", "VERSION", "N_VERSIONS", "laboratory", "valid_from", "valid_until", *NUMBERS),
    ]
    table = pd.DataFrame(rows, columns=columns)
    dates = {name: "datetime64[ns]" for name in ("valid_from", "valid_until")}
    return table.astype(dates | dict.fromkeys(NUMBERS, "float64"))


def collect_results(
    datasets: Mapping[str, pd.DataFrame], assays: Sequence[Assay], adrun: pd.DataFrame
) -> pd.DataFrame:
    """Results of ADPC, ADPD and ADAB as measured, with version, run and day of analysis.

    Returns
    -------
    DataFrame
        ``PARAMCD`` (analyte), ``ASSAYV`` and ``LAB`` as recorded, ``VERSION`` as resolved,
        ``RUNV``, ``RUNSTAT``, ``RUNDTM`` and ``RUNDAY`` of the run, and the columns of the
        datasets.
    """
    analytes = {code: assay.analyte for assay in assays for code in assay.test_codes}
    declared = {assay.analyte for assay in assays}
    parts = []
    for name, (version, laboratory) in SAMPLED.items():
        rows = datasets[name]
        code = rows["PARAMCD"].map(analytes) if name == "ADAB" else rows["PARAMCD"]
        part = rows[_COLUMNS].assign(PARAMCD=code, ASSAYV=rows[version], LAB=rows[laboratory])
        # Converted counts are no results of an assay.
        parts.append(part[part["PARAMCD"].isin(declared)])
    frame = pd.concat(parts, ignore_index=True)
    runs = adrun.drop_duplicates(["RUNID", "PARAMCD"])
    # Few results name a run; a join of all rows would cost more than the checks.
    place = _find_places(frame, "RUNID", runs)
    for name, own in (("RUNV", "ASSAYV"), ("RUNSTAT", "STATUS"), ("RUNDTM", "ADTM")):
        frame[name] = np.append(runs[own].to_numpy(dtype=object), "")[place]
    frame["VERSION"] = resolve_version(frame, assays)
    frame["RUNDAY"] = np.append(read_days(runs["ADTM"]).to_numpy(), np.datetime64("NaT", "ns"))[
        place
    ]
    return frame


def _find_places(frame: pd.DataFrame, name: str, table: pd.DataFrame) -> np.ndarray:
    """Row of the table with the analyte and the text of each record; -1 where there is none."""
    places = np.full(len(frame), -1)
    given = (frame[name] != "").to_numpy() | bool((table[name] == "").any())
    keys = frame["PARAMCD"][given] + _JOIN + frame[name][given]
    places[given] = pd.Index(table["PARAMCD"] + _JOIN + table[name]).get_indexer(pd.Index(keys))
    return places


def resolve_version(frame: pd.DataFrame, assays: Sequence[Assay]) -> pd.Series:
    """Version of each row: as recorded, else of its run, else the only one of its assay.

    Where the only version has no name, it is the one, whatever the record says.
    """
    only = {
        assay.analyte: assay.complete_versions[0].version
        for assay in assays
        if len(assay.complete_versions) == 1
    }
    version = frame["ASSAYV"]
    if "RUNV" in frame:
        version = version.mask(version == "", frame["RUNV"])
    known = frame["PARAMCD"].map(only)
    return version.mask((version == "") | (known == ""), known.fillna(""))


def read_days(text: pd.Series) -> pd.Series:
    """Days of ISO 8601 texts; NaT where the day is not known."""
    return pd.to_datetime(text.str[:10], format="%Y-%m-%d", errors="coerce").astype(
        "datetime64[ns]"
    )


def check_results(
    mapped: Mapping[str, Domain], results: pd.DataFrame, assays: Sequence[Assay]
) -> None:
    """Hold results against version, dates, range, limits and laboratory as declared, and runs."""
    _check_declared(mapped, results, assays)
    rejected = results[results["RUNSTAT"] == "REJECTED"]
    unknown = results[(results["RUNID"] != "") & (results["RUNSTAT"] == "")]
    for name, domain in mapped.items():
        own = rejected[rejected["SRCDOM"] == name]
        domain.report_rows("RUNREJECTED", own, f"{name}RUNID", test="PARAMCD")
        if mapped["RUNS"].collected and mapped["RUNS"].usable:
            own = unknown[unknown["SRCDOM"] == name]
            domain.report_rows("RUNUNKNOWN", own, f"{name}RUNID", test="PARAMCD")


def check_runs(runs: Domain, adrun: pd.DataFrame, assays: Sequence[Assay]) -> None:
    """Hold runs against version, dates and laboratory as declared, and repeats against runs."""
    version = resolve_version(adrun, assays)
    frame = adrun.assign(VERSION=version, RUNDAY=read_days(adrun["ADTM"]), RUNSTAT="")
    frame = frame.assign(ALLOQ=np.nan, AULOQ=np.nan, AVAL=np.nan, BLQFL="N", ALQFL="N")
    _check_declared({"RUNS": runs}, frame, assays)
    test, run, repeated = (runs.frame[name] for name in ("TESTCD", "RUNID", "REPEATOF"))
    known = (test + _JOIN + repeated).isin(set(test + _JOIN + run)) & (repeated != run)
    unknown = runs.active & (repeated != "") & ~known
    runs.report("REPEATUNKNOWN", unknown, "REPEATOF", run=run, test=test)


def _check_declared(
    mapped: Mapping[str, Domain], frame: pd.DataFrame, assays: Sequence[Assay]
) -> None:
    """Version, laboratory and limits (one finding a combination), dates and range (a record)."""
    table = tabulate_versions(assays)
    place = _find_places(frame, "VERSION", table)
    declared = place >= 0
    blanks: dict[str, object] = {
        "laboratory": "",
        **dict.fromkeys(("valid_from", "valid_until"), np.datetime64("NaT", "ns")),
        **dict.fromkeys(("lod", "lloq", "uloq"), np.nan),
    }
    # The last row of each column stands for a version that is not declared.
    facts: dict[str, np.ndarray] = {
        name: np.concatenate([values, np.array([blank], dtype=values.dtype)])[place]
        for name, blank in blanks.items()
        for values in (table[name].to_numpy(),)
    }
    _fill_spans(facts, frame, table, ~declared & (frame["VERSION"] == "").to_numpy())
    named = frame["PARAMCD"].isin(set(table.loc[table["VERSION"] != "", "PARAMCD"])).to_numpy()
    undeclared = frame[~declared & named & (frame["VERSION"] != "").to_numpy()]
    _report_combinations(mapped, "ASSAYVERSION", undeclared, "VERSION", "ASSAYV")
    laboratory = frame["LAB"].to_numpy()
    other = (laboratory != "") & (facts["laboratory"] != "") & (laboratory != facts["laboratory"])
    rows = frame[other].assign(DECLARED=facts["laboratory"][other])
    _report_combinations(mapped, "ASSAYLAB", rows, "LAB", "NAM", declared="DECLARED")
    for own, limit in (("ALLOQ", "lloq"), ("AULOQ", "uloq")):
        recorded, wanted = frame[own].to_numpy(dtype=float), facts[limit].astype(float)
        # Neither is missing: a comparison with NaN is False.
        differs = np.abs(recorded - wanted) > 1e-6 * np.abs(wanted)
        rows = frame[differs].assign(DECLARED=wanted[differs])
        _report_combinations(
            mapped, "ASSAYLIMIT", rows, own, own[1:], declared="DECLARED", version="VERSION"
        )
    _check_dates(mapped, frame, facts)
    value = frame["AVAL"].to_numpy(dtype=float)
    beyond = (value < facts["lod"].astype(float)) | (value > facts["uloq"].astype(float))
    # What the record's own limits mark is found as BELOWLLOQ and ABOVEULOQ.
    beyond &= ((frame["BLQFL"] != "Y") & (frame["ALQFL"] != "Y")).to_numpy()
    ranged = frame[beyond].assign(
        LOW=[_write(limit) for limit in facts["lod"][beyond]],
        HIGH=[_write(limit) for limit in facts["uloq"][beyond]],
    )
    for name, domain in mapped.items():
        domain.report_rows(
            "ASSAYRANGE",
            ranged[ranged["SRCDOM"] == name],
            f"{name}ORRES",
            test="PARAMCD",
            version="VERSION",
            low="LOW",
            high="HIGH",
        )


def _fill_spans(
    facts: Mapping[str, np.ndarray], frame: pd.DataFrame, table: pd.DataFrame, blank: np.ndarray
) -> None:
    """Dates of all versions together for records without one of several versions.

    A version without a first or last day leaves that end open.
    """
    groups = table.groupby("PARAMCD")
    analyte = frame["PARAMCD"][blank]
    for name, spans in (
        ("valid_from", groups["valid_from"].agg(lambda days: days.min(skipna=False))),
        ("valid_until", groups["valid_until"].agg(lambda days: days.max(skipna=False))),
    ):
        facts[name][blank] = analyte.map(spans).to_numpy(dtype="datetime64[ns]")


def _check_dates(
    mapped: Mapping[str, Domain], frame: pd.DataFrame, facts: Mapping[str, np.ndarray]
) -> None:
    """Records analysed, or else collected, outside the dates of their version.

    The dates of a run are found once, at the run.
    """
    dated = ~(np.isnat(facts["valid_from"]) & np.isnat(facts["valid_until"]))
    dated &= (frame["RUNSTAT"] == "").to_numpy()
    rows = frame[dated].assign(FIRST=facts["valid_from"][dated], LAST=facts["valid_until"][dated])
    day = rows["RUNDAY"].fillna(read_days(rows["ADTM"]))
    outside = (rows["RUNDAY"] < rows["FIRST"]) | (day > rows["LAST"])
    texts = {
        name: days[outside].dt.strftime("%Y-%m-%d").fillna("-")
        for name, days in (("DAY", day), ("FIRST", rows["FIRST"]), ("LAST", rows["LAST"]))
    }
    found = rows[outside].assign(**texts)
    for name, domain in mapped.items():
        domain.report_rows(
            "ASSAYDATES",
            found[found["SRCDOM"] == name],
            "RUNDTC" if name == "RUNS" else f"{name}DTC",
            test="PARAMCD",
            version="VERSION",
            day="DAY",
            valid_from="FIRST",
            valid_until="LAST",
        )


def _write(value: float) -> str:
    return "-" if np.isnan(value) else format_number(value)


def _report_combinations(
    mapped: Mapping[str, Domain],
    rule: str,
    rows: pd.DataFrame,
    column: str,
    ending: str,
    **fields: str,
) -> None:
    """One finding a value of a column, with the number of records, and further columns."""
    if rows.empty:
        return
    keys = ["SRCDOM", "SRCFILE", "PARAMCD", column, *fields.values()]
    for key, count in rows.groupby(keys, sort=True, dropna=False).size().items():
        cells = dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True))
        texts = {
            name: format_number(cells[name]) if isinstance(cells[name], float) else str(cells[name])
            for name in keys
        }
        name = str(cells["SRCDOM"])
        variable = {"ASSAYV": "ASSAYV", "NAM": "LAB"}[ending] if name == "RUNS" else name + ending
        mapped[name].report_file(
            rule,
            file=texts["SRCFILE"],
            column=mapped[name].raw_columns.get(variable, variable),
            value=texts[column],
            test=texts["PARAMCD"],
            count=str(count),
            **{field: texts[source] for field, source in fields.items()},
        )
