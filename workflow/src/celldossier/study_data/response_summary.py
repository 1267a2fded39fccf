"""Analysis results of response: best response by criteria, response rates with exact intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from celldossier.results import ResultCollector, explain_missing
from celldossier.settings.efficacy import EfficacySettings
from celldossier.stats.proportion import clopper_pearson
from celldossier.study_data.response_criteria import Criteria, make_vocabularies
from celldossier.study_data.summary_blocks import NOT_COLLECTED, count_share

MISSING_INDICATION = "MISSING"
RATES = ("ORR", "CORR", "CR")
"""Parameters of ADRS with an answer Y or N whose rates are given."""
DENOMINATORS = ("INFUSED", "EVALUABLE")

Group = tuple[dict[str, str], pd.DataFrame]


def add_response(
    collector: ResultCollector,
    infused: pd.DataFrame,
    adrs: pd.DataFrame,
    collected: bool,
    settings: EfficacySettings,
) -> None:
    """Add best response and response rates, by indication and dose level.

    ======================= ============ ========================== =======================
    analysis                variable     by                         statistics
    ======================= ============ ========================== =======================
    response_subjects       BOR          indication, dose           n, n_evaluable
    best_response           vocabulary   indication, dose, category n, pct (of infused)
    best_response_unknown   BOR          indication, dose, reason   n, pct (of infused)
    response_rate           ORR, CORR,   indication, dose,          n, denominator, pct,
                            CR           denominator                ci_low, ci_high
    ======================= ============ ========================== =======================

    A rate is given of all infused subjects, where an unknown response counts as none, and
    of the response-evaluable, whose response is known. Two indications may have two sets of
    criteria, so that categories are counted within an indication only.

    Parameters
    ----------
    infused
        Infused subjects (ADSL).
    adrs
        Dataset ADRS, with one record BOR, ORR and CR an infused subject.
    collected
        Whether response was collected.
    """
    if not collected:
        collector.add(
            "response_subjects",
            {"n": math.nan, "n_evaluable": math.nan},
            dataset="ADRS",
            variable="BOR",
            notes=dict.fromkeys(("n", "n_evaluable"), NOT_COLLECTED),
            n=0,
        )
        return
    vocabularies = make_vocabularies(settings)
    best = adrs[adrs["PARAMCD"] == "BOR"]
    for by, subjects in group_by_indication(infused):
        for dose, members in _by_dose(subjects, infused):
            place = {**by, **dose}
            own = best[best["USUBJID"].isin(members["USUBJID"])]
            collector.add(
                "response_subjects",
                {"n": float(len(members)), "n_evaluable": float((own["RESPFL"] != "").sum())},
                dataset="ADRS",
                variable="BOR",
                by=place,
                where="PARAMCD = BOR",
                n=float(len(members)),
            )
            if by:
                whole = best[best["USUBJID"].isin(subjects["USUBJID"])]
                _add_categories(collector, place, own, whole, len(members), vocabularies)
            _add_rates(collector, place, members, subjects, adrs, vocabularies)


def group_by_indication(infused: pd.DataFrame) -> Iterator[Group]:
    """All infused subjects, then those of each indication."""
    yield {}, infused
    indication = infused["INDIC"].where(infused["INDIC"] != "", MISSING_INDICATION)
    for name in sorted(indication.unique()):
        yield {"indication": str(name)}, infused[indication == name]


def _by_dose(subjects: pd.DataFrame, infused: pd.DataFrame) -> Iterator[Group]:
    yield {}, subjects
    for dose in sorted(infused.loc[infused["TRT01A"] != "", "TRT01A"].unique()):
        yield {"dose": str(dose)}, subjects[subjects["TRT01A"] == dose]


def _add_categories(
    collector: ResultCollector,
    place: Mapping[str, str],
    own: pd.DataFrame,
    whole: pd.DataFrame,
    infused: int,
    vocabularies: Mapping[str, Criteria],
) -> None:
    """Every category of the criteria that the indication is assessed by, and the unknown."""
    for name in sorted(set(whole["RSVOCAB"]) - {""}):
        rows = own[own["RSVOCAB"] == name]
        for category in vocabularies[name].categories:
            _add_share(
                collector,
                "best_response",
                name,
                {**place, "category": category},
                int((rows["AVALC"] == category).sum()),
                infused,
                f"PARAMCD = BOR, AVALC = {category}",
            )
    for reason in sorted(set(whole["REASND"]) - {""}):
        _add_share(
            collector,
            "best_response_unknown",
            "BOR",
            {**place, "reason": reason},
            int((own["REASND"] == reason).sum()),
            infused,
            f"PARAMCD = BOR, REASND = {reason}",
        )


def _add_share(
    collector: ResultCollector,
    analysis: str,
    variable: str,
    by: Mapping[str, str],
    count: int,
    infused: int,
    where: str,
) -> None:
    statistics = count_share(count, infused)
    collector.add(
        analysis,
        statistics,
        dataset="ADRS",
        variable=variable,
        by=by,
        where=where,
        units={"pct": "%"},
        n=float(count),
        notes=explain_missing(statistics, "NOGROUP"),
    )


def _add_rates(
    collector: ResultCollector,
    place: Mapping[str, str],
    members: pd.DataFrame,
    subjects: pd.DataFrame,
    adrs: pd.DataFrame,
    vocabularies: Mapping[str, Criteria],
) -> None:
    group = adrs[adrs["USUBJID"].isin(subjects["USUBJID"])]
    own = adrs[adrs["USUBJID"].isin(members["USUBJID"])]
    # A response that was not confirmed is evaluable: its best response is known.
    evaluable = int(((own["PARAMCD"] == "BOR") & (own["RESPFL"] != "")).sum())
    for parameter in RATES:
        if not _applies(parameter, group, vocabularies):
            continue
        events = int(((own["PARAMCD"] == parameter) & (own["AVALC"] == "Y")).sum())
        for name, size in zip(DENOMINATORS, (len(members), evaluable), strict=True):
            low, high = clopper_pearson(events, size)
            collector.add(
                "response_rate",
                {
                    "n": float(events),
                    "denominator": float(size),
                    "pct": 100 * events / size if size else math.nan,
                    "ci_low": 100 * low,
                    "ci_high": 100 * high,
                },
                dataset="ADRS",
                variable=parameter,
                by={**place, "denominator": name},
                where=f"PARAMCD = {parameter}, AVALC = Y",
                unit="%",
                units={"n": "", "denominator": ""},
                n=float(size),
                method="Clopper-Pearson",
                notes={} if size else dict.fromkeys(("pct", "ci_low", "ci_high"), "NOGROUP"),
            )


def _applies(parameter: str, group: pd.DataFrame, vocabularies: Mapping[str, Criteria]) -> bool:
    """Whether the criteria of the group know such a response, for all who were assessed."""
    best = group[(group["PARAMCD"] == "BOR") & (group["RSVOCAB"] != "")]
    if parameter == "CR":
        known = [vocabularies[name].categories.values() for name in set(best["RSVOCAB"])]
        return any(category.complete for categories in known for category in categories)
    if parameter == "CORR":
        asked = set(group.loc[group["PARAMCD"] == "CORR", "USUBJID"])
        return bool(len(best)) and set(best["USUBJID"]) <= asked
    return True
