"""ADPDP: parameters of the course of each marker, one row a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.pharmacodynamics.courses import Courses, arrange_courses, prepare_samples
from celldossier.pharmacodynamics.extremes import (
    base_flags,
    compare_change,
    compare_percent,
    compare_ratio,
    describe_extreme,
    find_extreme,
)
from celldossier.pharmacodynamics.marker_columns import Bools, Column
from celldossier.pharmacodynamics.marker_rules import ResolvedRule, resolve_rules
from celldossier.pharmacodynamics.response_columns import (
    SeriesRules,
    describe_improvement,
    describe_last,
    estimate_areas,
    estimate_duration,
    find_recovery,
    find_response_time,
)
from celldossier.pharmacodynamics.study import Sources
from celldossier.settings.marker_parameters import MarkerParameterSettings
from celldossier.settings.pharmacodynamics import PharmacodynamicsSettings
from celldossier.terms.pd_parameters import (
    find_pd_parameter,
    order_pd_parameters,
    pd_parameter_unit,
)

NEEDS_MCID = ("PDRESP", "PDTRSP")
NEEDS_APART = ("PDNAPART", "PDPEAKX", "PDPEAKA", "PDTPKA", "PDFOLDA")


def derive_adpdp(sources: Sources, settings: PharmacodynamicsSettings) -> pd.DataFrame:
    """Derive ADPDP.

    Parameters
    ----------
    sources
        ADSL, ADEX, ADCM and ADPD are used.
    settings
        `parameters` is used.

    Returns
    -------
    pandas.DataFrame
        One row a subject, marker, specimen, place and parameter that the kind and the direction
        of the marker have, also where it could not be computed. A subject without a sample of
        the marker has no rows.
    """
    options = settings.parameters
    rules = resolve_rules(sources.adpd["PARAMCD"], options)
    samples = prepare_samples(sources, rules, options.below_limit)
    if samples.empty:
        return empty_dataset("ADPDP")
    main = arrange_courses(samples, ~samples["APART"] & ~samples["LEFT"])
    columns = estimate_parameters(main, rules, options)
    parts = _emit(main, columns, rules)
    extra = samples[samples["PARAMCD"].isin([code for code in rules if rules[code].has_apart])]
    if len(extra):
        parts += _emit_apart(extra.reset_index(drop=True), rules)
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    number = {code: n + 1 for n, code in enumerate(order_pd_parameters(set(rows["PARAMCD"])))}
    code = pd.Series(rows["PARAMCD"])
    group = sources.adsl.drop_duplicates("USUBJID").set_index("USUBJID")["TRT01A"]
    frame = pd.DataFrame(
        {
            **rows,
            "PARAM": code.map({code: find_pd_parameter(code).en for code in number}),
            "PARAMN": code.map(number),
            "TRT01A": pd.Series(rows["USUBJID"]).map(group).fillna(""),
        }
    )
    return conform(frame, "ADPDP")


def estimate_parameters(
    courses: Courses, rules: Mapping[str, ResolvedRule], options: MarkerParameterSettings
) -> dict[str, Column]:
    """All parameters of all series, whether their marker has them or not."""
    ours, place = _rules_of(courses, rules)
    vectors = SeriesRules.of(ours, place)
    peak, nadir = find_extreme(courses, 1.0), find_extreme(courses, -1.0)
    base = Column(
        courses.base,
        [(np.isnan(courses.base), "NOPDBASE")],
        {"ATLEAST": courses.base_above, **base_flags(courses)},
    )
    columns = {"PDBASE": base}
    columns["PDPEAK"], columns["PDTPEAK"] = describe_extreme(courses, peak)
    columns["PDNADIR"], columns["PDTNAD"] = describe_extreme(courses, nadir)
    return {
        **columns,
        "PDFOLD": compare_ratio(courses, peak),
        "PDCHG": compare_change(courses, peak),
        "PDNADCHG": compare_change(courses, nadir),
        "PDNADPCT": compare_percent(courses, nadir),
        **estimate_areas(courses, options),
        "PDTRISE": find_response_time(courses, vectors, peak),
        **find_recovery(courses, vectors, peak, nadir),
        "PDDUR": estimate_duration(courses, vectors),
        **describe_improvement(courses, vectors),
        **describe_last(courses),
        "PDNSAM": Column(courses.used),
    }


def _emit_apart(
    samples: pd.DataFrame, rules: Mapping[str, ResolvedRule]
) -> list[dict[str, np.ndarray]]:
    """Parameters of the samples that are set apart, and of all samples with them."""
    whole = arrange_courses(samples, ~samples["LEFT"])
    alone = arrange_courses(samples, samples["APART"])
    peak, other = find_extreme(whole, 1.0), find_extreme(alone, 1.0)
    alone_peak, _ = describe_extreme(alone, other)
    peak_all, time_all = describe_extreme(whole, peak)
    columns = {
        "PDNAPART": Column(whole.apart),
        "PDPEAKX": Column(alone_peak.value, [(other.column < 0, "PDNOAPRT")], alone_peak.flags),
        "PDPEAKA": peak_all,
        "PDTPKA": time_all,
        "PDFOLDA": compare_ratio(whole, peak),
    }
    return _emit(whole, columns, rules)


def _rules_of(
    courses: Courses, rules: Mapping[str, ResolvedRule]
) -> tuple[Sequence[ResolvedRule], np.ndarray]:
    """The rules, and the place of that of each series."""
    place = {code: number for number, code in enumerate(rules)}
    return list(rules.values()), courses.keys["PARAMCD"].map(place).to_numpy(dtype=int)


def _emit(
    courses: Courses, columns: Mapping[str, Column], rules: Mapping[str, ResolvedRule]
) -> list[dict[str, np.ndarray]]:
    """Rows of the parameters that the markers of the series have, in the order of the registry."""
    keys = {name: courses.keys[name].to_numpy() for name in courses.keys}
    unit, known = pd.factorize(courses.keys["AVALU"])
    ours, place = _rules_of(courses, rules)
    parts = []
    for code in order_pd_parameters(columns):
        kept = np.flatnonzero(_which_have(code, ours)[place])
        if not len(kept):
            continue
        value, flag, reason = columns[code].settle()
        units = np.array([pd_parameter_unit(code, str(name)) for name in known], dtype=object)
        parts.append(
            {
                "STUDYID": keys["STUDYID"][kept],
                "USUBJID": keys["USUBJID"][kept],
                "PARCAT1": keys["PARAMCD"][kept],
                "ASPEC": keys["ASPEC"][kept],
                "ALOC": keys["ALOC"][kept],
                "PARAMCD": np.full(len(kept), code, dtype=object),
                "AVAL": value[kept],
                "AVALU": units[unit[kept]],
                "FLAG": flag[kept],
                "PPREASND": reason[kept],
            }
        )
    return parts


def _which_have(code: str, rules: Sequence[ResolvedRule]) -> Bools:
    """Which of the rules are of markers that have the parameter."""
    entry = find_pd_parameter(code)
    return np.array(
        [
            rule.kind in entry.kinds
            and rule.direction in entry.directions
            and (code not in NEEDS_MCID or rule.mcid is not None)
            and (code not in NEEDS_APART or rule.has_apart)
            for rule in rules
        ],
        dtype=bool,
    )
