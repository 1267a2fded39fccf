"""Events of special interest by episode: the dataset ADAESI."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.settings.safety import SafetySettings
from celldossier.study_data.classes import list_events
from celldossier.study_data.episodes import count_days
from celldossier.study_data.units import UnitTable
from celldossier.terms.study_terms import CELL_PRODUCT

CYTOPENIA = "CYTOPENIA"
LABORATORY = "LABORATORY"
LABORATORY_GRADE = 3.0
TREATMENTS = {
    "TOCIDY": "TOCILIZUMAB",
    "STERDY": "STEROID",
    "ANAKDY": "ANAKINRA",
    "SILTDY": "SILTUXIMAB",
}
"""First day of each treatment within an episode."""
KEY = ["USUBJID", "AESI", "EPISODE"]


def find_cytopenia(adpd: pd.DataFrame, settings: SafetySettings) -> pd.DataFrame:
    """Runs of blood counts of grade 3 or worse that reach beyond the day of the settings.

    A run is a row of results of one analyte and specimen that are all below the limit
    (CTCAE 5.0: neutrophils 1.0 and platelets 50 10^9/L, haemoglobin 80 g/L); it lasts from its
    first to its last result. A count below the limit of quantitation is low where that
    limit is not above the other, and says nothing where it is. Transfusions are not looked
    at: a count that one raised ends the run.

    Returns
    -------
    DataFrame
        As events: ``USUBJID``, ``AESI``, ``first``, ``last`` (NaN where the last result of all
        is still low), ``ASTDY``, ``AENDY``, ``ASTDTM``, ``AENDTM``, grade and trace.
    """
    table = UnitTable()
    parts = []
    rows = adpd[adpd["AFRLT"] > 0]
    for analyte, limit in sorted(settings.cytopenia_limits.items()):
        own = rows[rows["PARAMCD"] == analyte]
        for unit, some in own.groupby("AVALU", sort=True):
            factor = table.factor(str(unit), limit.unit)
            if np.isfinite(factor):
                below = (some["BLQFL"] == "Y") & (some["ALLOQ"] * factor <= limit.below)
                known = some[some["AVAL"].notna() | below]
                parts.append(known.assign(low=below | (known["AVAL"] * factor < limit.below)))
    if not parts or CYTOPENIA not in _events_in_use(settings):
        return pd.DataFrame(columns=["USUBJID", "AESI", "first", "last", "SRCDOM"])
    series = ["USUBJID", "PARAMCD", "ASPEC"]
    every = pd.concat(parts).sort_values([*series, "AFRLT", "SRCROW"], kind="stable")
    groups = [every[name] for name in series]
    run = (every["low"] != every["low"].groupby(groups).shift()).groupby(groups).cumsum()
    newest = ~every.duplicated(series, keep="last")
    low = every.assign(run=run, newest=newest)[every["low"]]
    key = [*series, "run"]
    first, last = low.drop_duplicates(key), low.drop_duplicates(key, keep="last")
    going_on = last["newest"].to_numpy()
    frame = pd.DataFrame(
        {
            "USUBJID": first["USUBJID"].to_numpy(),
            "AESI": CYTOPENIA,
            "ASTDY": first["AFRLT"].to_numpy(),
            "AENDY": last["AFRLT"].mask(going_on).to_numpy(),
            "ASTDTM": first["ADTM"].to_numpy(),
            "AENDTM": last["ADTM"].mask(going_on, "").to_numpy(),
            "ATOXGRN": LABORATORY_GRADE,
            "GRADSRC": LABORATORY,
            "GRADRSN": "LABLIMIT",
            "seen": last["AFRLT"].to_numpy(),
            **{name: first[name].to_numpy() for name in ("SRCDOM", "SRCFILE", "SRCROW")},
        }
    )
    frame = frame[frame["seen"] > settings.cytopenia_after_day].drop(columns="seen")
    days = {"first": np.floor(frame["ASTDY"]), "last": np.floor(frame["AENDY"])}
    return frame.assign(**days).reset_index(drop=True)


def _events_in_use(settings: SafetySettings) -> set[str]:
    return {code for code, terms in list_events(settings).items() if terms}


def derive_adaesi(
    events: pd.DataFrame,
    daily: pd.DataFrame,
    adex: pd.DataFrame,
    adcm: pd.DataFrame,
    deaths: pd.DataFrame,
) -> pd.DataFrame:
    """Dataset ADAESI: one record a subject, event of special interest and episode.

    The duration counts whole days, the first and the last included. An episode whose
    end is not known is ongoing (ONGOFL); one that goes on at death ends there. Days that
    were completed from partial dates are flagged, and give no duration.

    Parameters
    ----------
    events
        Treatment-emergent events of ADAE and cytopenia from laboratory values, with
        ``EPISODE``, ``first``, ``last``.
    daily
        Daily grades of ADFA with ``EPISODE``: an episode can begin before the first
        report and end after the last.
    adex, adcm
        Datasets; ADCM before `relate_to_events`.
    deaths
        Index USUBJID: ``day`` (whole days from the first infusion to death, not empty) and
        ``imputed`` (flag of a date that was completed).
    """
    order = events.sort_values(
        [*KEY, "first", "ASTDY", "SRCROW"], kind="stable", na_position="last"
    )
    groups = order.groupby(KEY, sort=False)
    first = order.drop_duplicates(KEY)
    key = pd.MultiIndex.from_frame(first[KEY])

    def of(values: pd.Series) -> np.ndarray:
        return values.reindex(key).to_numpy()

    span = daily[daily["EPISODE"].notna()].groupby(KEY)["ADY"].agg(["min", "max"]).reindex(key)
    worst = order.sort_values([*KEY, "ATOXGRN"], kind="stable", na_position="first")
    worst = worst.drop_duplicates(KEY, keep="last").set_index(KEY)
    without_end = order["last"].isna().groupby([order[name] for name in KEY]).any()
    open_ = of(without_end).astype(bool)
    start_day = np.fmin(first["first"].to_numpy(dtype=float), span["min"].to_numpy(dtype=float))
    # A report without an end that only daily grades stand behind ended on the last of them.
    last_day = np.fmax(of(groups["last"].max()), span["max"].to_numpy(dtype=float))
    earlier = span["min"].to_numpy(dtype=float) < first["first"].to_numpy(dtype=float)
    later = span["max"].to_numpy(dtype=float) > of(groups["last"].max())
    frame = pd.DataFrame(
        {
            **{name: first[name].to_numpy() for name in KEY},
            "ATOXGRN": of(groups["ATOXGRN"].max()),
            "AETOXGRN": of(groups["AETOXGRN"].max()),
            "GRADSRC": of(worst["GRADSRC"]),
            "GRADRSN": of(_first_reason(order)),
            "NRECORD": of(groups.size()),
            "ASTDTM": first["ASTDTM"].to_numpy(),
            "ASTDTF": np.where(earlier, "", of(_flag_edge(order, "first", "ASTDTF"))),
            "AENDTF": np.where(later, "", of(_flag_edge(order, "last", "AENDTF"))),
            "ASTDY": np.where(earlier, span["min"], of(groups["ASTDY"].min())),
            "AENDY": np.where(later, span["max"], of(groups["AENDY"].max())),
            "first": start_day,
            "last": last_day,
            "open": open_,
            **{name: first[name].to_numpy() for name in ("SRCDOM", "SRCFILE", "SRCROW")},
        }
    )
    frame = _end_episodes(frame, deaths)
    frame = _add_doses(frame, adex)
    for variable, medication in TREATMENTS.items():
        frame[variable] = _first_treatment(frame, adcm, medication)
    order = frame.sort_values(
        ["USUBJID", "AESI", "ATOXGRN", "EPISODE"],
        ascending=[True, True, False, True],
        na_position="last",
        kind="stable",
    )
    most = ~order.duplicated(["USUBJID", "AESI"])
    return frame.assign(
        NEPISOD=frame.groupby(["USUBJID", "AESI"])["EPISODE"].transform("size"),
        WORSTFL=np.where(most.reindex(frame.index), "Y", "N"),
    ).drop(columns=["first", "last", "open"])


def _first_reason(order: pd.DataFrame) -> pd.Series:
    """Reason beside a grade of the episode, by episode; "" where there is none."""
    reasons = order.sort_values([*KEY, "GRADRSN"], kind="stable").drop_duplicates(KEY, keep="last")
    return reasons.set_index(KEY)["GRADRSN"]


def _flag_edge(order: pd.DataFrame, day: str, imputed: str) -> pd.Series:
    """Imputation flag of the first or last day of an episode, by episode.

    Where several records have that day, one with a full date makes it certain.
    """
    by_day = order.reindex(columns=[*KEY, day, imputed]).fillna({imputed: ""})
    groups = by_day.groupby(KEY)[day]
    edge = groups.transform("min" if day == "first" else "max")
    flags = by_day[by_day[day] == edge].groupby(KEY)[imputed].min()
    return flags.reindex(pd.MultiIndex.from_frame(order[KEY].drop_duplicates()), fill_value="")


def _end_episodes(frame: pd.DataFrame, deaths: pd.DataFrame) -> pd.DataFrame:
    """End, duration and whether the end is known."""
    dead = frame["USUBJID"].map(deaths["day"]).astype("float64")
    died = frame["open"] & dead.notna()
    last = frame["last"].mask(died, dead)
    ongoing = frame["open"] & ~died
    end_flag = frame["AENDTF"].mask(died, frame["USUBJID"].map(deaths["imputed"])).mask(ongoing, "")
    completed = (frame["ASTDTF"] != "") | (end_flag != "")
    duration = count_days(frame["first"], last)
    # Days that were graded were seen; a report without an end says nothing of its length.
    reason = np.select(
        [ongoing, duration.isna(), completed, died], ["NOEND", "NODATE", "PARTDATE", "DIED"], ""
    )
    return frame.assign(
        last=last.mask(ongoing),
        AENDY=frame["AENDY"].mask(died, dead).mask(ongoing),
        AENDTF=end_flag,
        ADURN=duration.mask((ongoing & frame["last"].isna()) | completed),
        ADURRSN=reason,
        ONGOFL=np.where(ongoing, "Y", "N"),
    )


def _add_doses(frame: pd.DataFrame, adex: pd.DataFrame) -> pd.DataFrame:
    """Infusion before the onset, and the days from it."""
    cells = adex[(adex["EXCAT"] == CELL_PRODUCT) & adex["AFRLT"].notna()]
    cells = cells[["USUBJID", "AFRLT", "DOSENO"]].sort_values("AFRLT", kind="stable")
    onset = frame["ASTDY"].notna()
    left = frame.loc[onset, ["USUBJID", "ASTDY"]].rename_axis("row").reset_index()
    found = pd.merge_asof(
        left.sort_values("ASTDY", kind="stable"),
        cells,
        left_on="ASTDY",
        right_on="AFRLT",
        by="USUBJID",
    ).set_index("row")
    return frame.assign(
        DOSENO=found["DOSENO"].reindex(frame.index),
        ADOSDY=(found["ASTDY"] - found["AFRLT"]).reindex(frame.index),
    )


def _first_treatment(frame: pd.DataFrame, adcm: pd.DataFrame, medication: str) -> pd.Series:
    """First day of a treatment that was given within each episode."""
    own = adcm[(adcm["CMCLASS"] == medication) & adcm["STDAY"].notna() & (adcm["ASTDY"] >= 0)]
    spans = frame[["USUBJID", "first", "last"]].rename_axis("row").reset_index()
    pairs = spans.merge(own[["USUBJID", "STDAY", "ASTDY"]], on="USUBJID")
    within = (pairs["STDAY"] >= pairs["first"]) & ~(pairs["STDAY"] > pairs["last"])
    return pairs[within].groupby("row")["ASTDY"].min().reindex(frame.index)
