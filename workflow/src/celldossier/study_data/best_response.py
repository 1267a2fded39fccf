"""Best response, its confirmation, response at landmarks and negativity for residual disease."""

from __future__ import annotations

import pandas as pd

from celldossier.io.resources import read_resource
from celldossier.settings.efficacy import Confirmation, EfficacySettings
from celldossier.study_data.assay_results import TRACE
from celldossier.study_data.response_criteria import Criteria, make_vocabularies
from celldossier.study_data.samples import flag

LANDMARK_PREFIX = "RSP"


def name_parameter(code: str) -> str:
    """English name of a parameter of ADRS."""
    names = read_resource("terms", "efficacy_parameters.yaml")["responses"]
    if code not in names and code.startswith(LANDMARK_PREFIX):
        landmark = code.removeprefix(LANDMARK_PREFIX)
        return str(names[LANDMARK_PREFIX]["en"].format(landmark=landmark))
    return str(names[code]["en"])


def derive_response_parameters(
    assessments: pd.DataFrame,
    infused: pd.DataFrame,
    ends: pd.DataFrame,
    adpd: pd.DataFrame,
    settings: EfficacySettings,
) -> pd.DataFrame:
    """Parameters of ADRS that have one record an infused subject.

    Parameters
    ----------
    assessments
        Records OVR and MRD with ANL01FL and RANK (0 best within the vocabulary).
    infused
        ``USUBJID`` of the infused subjects with the place of their record in DM, the
        source where there is no assessment.
    ends
        What ends the course of response beside progression: ``USUBJID``, ``REASON``
        (reason code), ``DAY``.
    adpd
        Dataset ADPD, for residual disease measured in the laboratory.

    Returns
    -------
    DataFrame
        BOR (the best category of the assessments that count; the earliest record that
        has it is its source; stable disease counts from the day of the settings), CBOR
        where the vocabulary asks for confirmation, ORR, CORR and CR, RSP<landmark>, MRDNEG.
        A subject without a value has a record with the reason.
    """
    overall = assessments[assessments["PARAMCD"] == "OVR"]
    counted = overall[overall["ANL01FL"] == "Y"]
    best = _best(_hold_stable(counted, settings), infused)
    events = counted[counted["EVENTCD"] != ""].rename(columns={"AFRLT": "DAY"})
    events = events[["USUBJID", "DAY"]].assign(REASON="PDBEFORE")
    ends = pd.concat([events, ends[["USUBJID", "DAY", "REASON"]]], ignore_index=True)
    ends = ends.sort_values(["USUBJID", "DAY"], kind="stable").drop_duplicates("USUBJID")
    ends = ends.set_index("USUBJID")
    confirmed = _confirm(counted, best, settings)
    parts = [
        best.assign(PARAMCD="BOR"),
        confirmed.assign(PARAMCD="CBOR"),
        _as_answer(best, "RESPFL").assign(PARAMCD="ORR"),
        _as_answer(confirmed, "RESPFL").assign(PARAMCD="CORR"),
        _as_answer(best, "CRFL").assign(PARAMCD="CR"),
    ]
    for name, (day, low, high) in settings.response_landmarks.items():
        at = _at_landmark(counted, infused, ends, (day, low, high))
        parts.append(at.assign(PARAMCD=f"{LANDMARK_PREFIX}{name}"))
    if settings.mrd.response_tests or settings.mrd.analyte:
        tests = _collect_residual_tests(assessments, adpd, settings)
        parts.append(_residual_negative(tests, ends, infused).assign(PARAMCD="MRDNEG"))
    frame = pd.concat([part for part in parts if len(part)] or [best], ignore_index=True)
    if frame.empty:
        return frame
    names = {code: name_parameter(code) for code in frame["PARAMCD"].unique()}
    return frame.assign(PARAM=frame["PARAMCD"].map(names), ANL01FL="", ANLRSN="")


def _best(counted: pd.DataFrame, infused: pd.DataFrame) -> pd.DataFrame:
    best = counted.sort_values(["USUBJID", "RANK", "AFRLT", "SRCFILE", "SRCROW"], kind="stable")
    return _complete(best.drop_duplicates("USUBJID"), infused, "NOASSESS")


def _hold_stable(rows: pd.DataFrame, settings: EfficacySettings) -> pd.DataFrame:
    """Records of stable disease before its least day as not evaluable.

    RECIST 1.1 (Eur J Cancer 2009;45:228, section 4.4.1 and table 3): stable disease is a best
    response only if it was met the least time of the protocol after the start.
    """
    rows = rows.copy()
    vocabularies = make_vocabularies(settings)
    for name, day in settings.stable_from_day.items():
        criteria = vocabularies[name]
        stable = [text for text, category in criteria.categories.items() if category.stable]
        early = (rows["RSVOCAB"] == name) & rows["AVALC"].isin(stable) & (rows["AFRLT"] < day)
        if early.any():
            rank = [category.responder for category in criteria.categories.values()].index("")
            rows.loc[early] = _categorise(rows[early].assign(RANK=float(rank)), criteria)
    return rows


def _complete(found: pd.DataFrame, infused: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Add the infused subjects who have no record, with the reason."""
    absent = infused[~infused["USUBJID"].isin(found["USUBJID"])]
    return pd.concat([found.assign(REASND=""), absent.assign(REASND=reason)], ignore_index=True)


def _as_answer(records: pd.DataFrame, name: str) -> pd.DataFrame:
    """The records as answer Y or N; one that says nothing is blank with the reason."""
    answer = records[name].fillna("") if len(records) else pd.Series(dtype=object)
    number = answer.map({"Y": 1.0, "N": 0.0}).astype("float64")
    silent = (answer == "") & (records["REASND"] == "")
    reason = records["REASND"].mask(silent, "NOTEVAL")
    return records.assign(AVALC=answer, AVAL=number, REASND=reason)


def _confirm(counted: pd.DataFrame, best: pd.DataFrame, settings: EfficacySettings) -> pd.DataFrame:
    """Confirmed best response of the subjects whose vocabulary asks for confirmation.

    A response counts as what it and all assessments up to the confirming one are at
    least: CR and then PR is a confirmed PR. The confirming assessment is the first
    that can be evaluated at the asked distance or later (`consecutive`: the next). A
    response that none confirms has the category `unconfirmed` of its vocabulary, and the
    subject the best of what is left: stable disease, or progression where that came early.
    """
    parts = []
    vocabularies = make_vocabularies(settings)
    for name, rule in settings.confirmation.items():
        own = best[best["RSVOCAB"] == name]
        if len(own):
            rows = counted[(counted["RSVOCAB"] == name) & (counted["RESPFL"] != "")]
            parts.append(_confirm_within(rows, own, rule, vocabularies[name], settings))
    if not parts:
        return best.iloc[:0]
    # Who has no assessment has no vocabulary; the reason is the same.
    absent = best[best["REASND"] != ""] if len(settings.confirmation) else best.iloc[:0]
    return pd.concat([*parts, absent], ignore_index=True)


def _confirm_within(
    rows: pd.DataFrame,
    best: pd.DataFrame,
    rule: Confirmation,
    criteria: Criteria,
    settings: EfficacySettings,
) -> pd.DataFrame:
    rows = rows.sort_values(["USUBJID", "AFRLT", "SRCFILE", "SRCROW"], kind="stable")
    rows = rows.assign(PLACE=rows.groupby("USUBJID").cumcount())
    key = ["USUBJID", "PLACE", "AFRLT", "RANK"]
    pairs = rows[rows["RESPFL"] == "Y"][key].merge(rows[key], on="USUBJID", suffixes=("", "_LATER"))
    pairs = pairs[pairs["PLACE_LATER"] >= pairs["PLACE"]].sort_values(
        ["USUBJID", "PLACE", "PLACE_LATER"], kind="stable"
    )
    start = ["USUBJID", "PLACE"]
    pairs = pairs.assign(WORST=pairs.groupby(start)["RANK_LATER"].cummax())
    distance = pairs["AFRLT_LATER"] - pairs["AFRLT"]
    later = (pairs["PLACE_LATER"] > pairs["PLACE"]) & (distance >= rule.min_days)
    if rule.consecutive:
        later &= pairs["PLACE_LATER"] == pairs["PLACE"] + 1
    ranks = list(criteria.categories.items())
    responders = [place for place, (_, category) in enumerate(ranks) if category.responder == "Y"]
    confirmed = pairs[later].drop_duplicates(start)
    confirmed = confirmed[confirmed["WORST"].isin(responders)]
    confirmed = confirmed.sort_values(["USUBJID", "WORST", "PLACE"], kind="stable")
    confirmed = confirmed.drop_duplicates("USUBJID")[["USUBJID", "PLACE", "WORST"]]
    source = rows.drop(columns="RANK").merge(confirmed, on=start)
    chosen = _categorise(source.assign(RANK=source["WORST"]), criteria)
    rest = best[~best["USUBJID"].isin(chosen["USUBJID"])]
    lost = rest["RESPFL"] == "Y"
    if criteria.unconfirmed:
        fallback = float([name for name, _ in ranks].index(criteria.unconfirmed))
        own = rows[rows["USUBJID"].isin(rest.loc[lost, "USUBJID"])]
        own = own.assign(RANK=own["RANK"].mask(own["RESPFL"] == "Y", fallback))
        left = _hold_stable(_categorise(own, criteria), settings).drop(columns="PLACE")
        rest = pd.concat([rest[~lost], _best(left, rest.loc[lost, ["USUBJID"]])], ignore_index=True)
    else:
        silent = {"AVALC": "", "RESPFL": "", "CRFL": "", "REASND": "NOTCONF"}
        rest = pd.concat([rest[~lost], rest[lost].assign(**silent)], ignore_index=True)
    columns = ["PLACE", "WORST"]
    return pd.concat([chosen.drop(columns=columns).assign(REASND=""), rest], ignore_index=True)


def _categorise(rows: pd.DataFrame, criteria: Criteria) -> pd.DataFrame:
    """Category and flags of each record from its rank."""
    entries = [criteria.categories[name] for name in criteria.categories]
    names = list(criteria.categories)
    place = rows["RANK"].astype(int)
    return rows.assign(
        AVALC=[names[i] for i in place],
        RESPFL=[entries[i].responder for i in place],
        CRFL=["Y" if entries[i].complete else "N" for i in place],
        EVENTCD=[entries[i].event for i in place],
    )


def _at_landmark(
    counted: pd.DataFrame,
    infused: pd.DataFrame,
    ends: pd.DataFrame,
    landmark: tuple[float, float, float],
) -> pd.DataFrame:
    """Response nearest to a landmark, of the assessments in its window that count.

    One that cannot be evaluated stands only where the window holds no other. Who progressed,
    died, was given a new therapy, a transplantation or the product again before the window
    ends, and has no assessment in it, is no responder at the landmark; who has none for
    another reason has no value.
    """
    day, low, high = landmark
    inside = counted[counted["AFRLT"].between(low, high)]
    silent = inside["RESPFL"] == ""
    nearest = inside.assign(DISTANCE=(inside["AFRLT"] - day).abs(), SILENT=silent).sort_values(
        ["USUBJID", "SILENT", "DISTANCE", "AFRLT", "RANK", "SRCFILE", "SRCROW"], kind="stable"
    )
    nearest = nearest.drop_duplicates("USUBJID").drop(columns=["DISTANCE", "SILENT"])
    found = _complete(nearest, infused, "NOLANDMRK")
    ended = found["USUBJID"].map(ends["DAY"]).astype("float64")
    silent = (found["RESPFL"] == "") & (found["REASND"] == "")
    found = found.assign(REASND=found["REASND"].mask(silent, "NOTEVAL"))
    gone = (found["REASND"] == "NOLANDMRK") & (ended <= high)
    reason = found["USUBJID"].map(ends["REASON"])
    return found.assign(
        RESPFL=found["RESPFL"].mask(gone, "N"),
        CRFL=found["CRFL"].mask(gone, "N"),
        REASND=found["REASND"].mask(gone, reason),
    )


def _collect_residual_tests(
    assessments: pd.DataFrame, adpd: pd.DataFrame, settings: EfficacySettings
) -> pd.DataFrame:
    """Tests for residual disease of RS and of the laboratory: negative or positive."""
    columns = ["USUBJID", "AFRLT", "AVALC", "ADTM", "AVISIT", "NFRLT", *TRACE]
    parts = [assessments.loc[assessments["PARAMCD"] == "MRD", columns]]
    measured = adpd[adpd["PARAMCD"] == settings.mrd.analyte]
    if len(measured):
        below = (measured["BLQFL"] == "Y") | (measured["AVAL"] < settings.mrd.below)
        status = flag(below).map({"Y": "NEGATIVE", "N": "POSITIVE"})
        parts.append(measured.assign(AVALC=status)[columns])
    return pd.concat(parts, ignore_index=True)


def _residual_negative(
    tests: pd.DataFrame, ends: pd.DataFrame, infused: pd.DataFrame
) -> pd.DataFrame:
    """Whether a subject was ever negative after the infusion and before the course ended."""
    until = tests["USUBJID"].map(ends["DAY"]).astype("float64")
    after = tests[(tests["AFRLT"] > 0) & ~(tests["AFRLT"] > until)]
    after = after.assign(POSITIVE=after["AVALC"] != "NEGATIVE")
    first = after.sort_values(["USUBJID", "POSITIVE", "AFRLT", "SRCFILE", "SRCROW"], kind="stable")
    first = first.drop_duplicates("USUBJID")
    answer = flag(~first["POSITIVE"])
    first = first.assign(AVALC=answer, AVAL=answer.map({"Y": 1.0, "N": 0.0}))
    return _complete(first.drop(columns="POSITIVE"), infused, "NOMRD")
