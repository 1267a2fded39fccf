from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from celldossier.datasets import conform
from celldossier.errors import ConfigError
from celldossier.exposure_response.stage import prepare_study
from celldossier.exposure_response.study import Sources
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings

NAMES = {"en": "An endpoint", "zh": "终点", "family": "SAFETY"}


def values(sources: Sources, *codes: str, **rule: object) -> pd.DataFrame:
    """Rows of ADEREND by subject of known endpoints, or of the study's own endpoint OWN."""
    own = [{"code": "OWN", **NAMES, **rule}] if rule else []
    settings = ExposureResponseSettings.model_validate(
        {"endpoints": codes or ["OWN"], "custom_endpoints": own, "primary": []}
    )
    return prepare_study(sources, settings).aderend.set_index("USUBJID")


def episodes(study, grades: dict[str, float], event: str = "INFECTION", **more) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": list(grades),
            "AESI": event,
            "EPISODE": 1,
            "NEPISOD": 1,
            "WORSTFL": "Y",
            "NRECORD": 1,
            "ATOXGRN": list(grades.values()),
            "ASTDY": 40.0,
            "ONGOFL": "N",
            "SRCDOM": "AE",
            "SRCROW": range(1, len(grades) + 1),
        }
    ).assign(**more)
    return conform(rows, "ADAESI")


def test_an_event_of_special_interest_counts_from_its_lowest_grade(study) -> None:
    adaesi = episodes(study, {"S-001": 3, "S-002": 2})
    found = values(study.change(adaesi=adaesi), "INFECTION")
    assert found.loc["S-001", "AVAL"] == 1 and found.loc["S-001", "ONSETDY"] == 40
    assert found.loc["S-002", "AVAL"] == 0 and found["AVAL"].sum() == 1
    assert (found["REASND"] == "").all()


def test_an_ungraded_event_may_be_the_endpoint_and_leaves_it_unknown(study) -> None:
    adaesi = episodes(study, {"S-001": math.nan})
    found = values(study.change(adaesi=adaesi), "INFECTION").loc["S-001"]
    assert math.isnan(found["AVAL"]) and found["REASND"] == "UNGRADED"


def test_several_episodes_are_one_event_of_the_highest_grade_from_the_first_day(study) -> None:
    adaesi = pd.concat(
        [
            episodes(study, {"S-001": 2, "S-002": 3}, ASTDY=90.0),
            episodes(study, {"S-001": 3, "S-002": 2}, ASTDY=40.0).assign(EPISODE=2),
        ]
    )
    found = values(study.change(adaesi=adaesi), "INFECTION").loc[["S-001", "S-002"]]
    assert found["AVAL"].tolist() == [1, 1] and found["ONSETDY"].tolist() == [40, 40]


def test_one_episode_of_the_grade_is_enough_whatever_the_others_were(study) -> None:
    adaesi = pd.concat(
        [
            episodes(study, {"S-001": math.nan, "S-002": math.nan}),
            episodes(study, {"S-001": 3, "S-002": 2}).assign(EPISODE=2),
        ]
    )
    found = values(study.change(adaesi=adaesi), "INFECTION")
    assert (found.loc["S-001", "AVAL"], found.loc["S-001", "REASND"]) == (1, "")
    assert found.loc["S-002", "REASND"] == "UNGRADED"


@pytest.mark.parametrize(("days", "reason"), [(28.0, ""), (27.0, "SHORTOBS")])
def test_who_was_observed_to_the_last_day_that_is_asked_for_had_no_event(
    study, days: float, reason: str
) -> None:
    found = values(study.change(adsl=study.adsl.assign(FUDUR=days)), "CYTOPENIA")
    assert set(found["REASND"]) == {reason}


def test_days_with_an_event_are_those_of_all_episodes_and_unknown_where_one_goes_on(study) -> None:
    first = episodes(study, {"S-001": 2, "S-002": 2, "S-003": 2}, "CRS", ADURN=[5.0, 4.0, np.nan])
    again = episodes(study, {"S-001": 1, "S-002": 1}, "CRS", ADURN=[2.0, 3.0], ONGOFL=["N", "Y"])
    adaesi = pd.concat([first, again.assign(EPISODE=2)])
    found = values(study.change(adaesi=adaesi), "CRSDAYS")
    assert found.loc["S-001", "AVAL"] == 7 and found.loc["S-004", "AVAL"] == 0
    assert found.loc[["S-002", "S-003"], "AVAL"].isna().all()
    assert found.loc[["S-002", "S-003"], "REASND"].tolist() == ["NOAEDUR"] * 2


def test_a_subject_observed_too_short_is_no_subject_without_the_event(study) -> None:
    adsl = study.adsl.assign(FUDUR=100.0)
    adsl.loc[adsl["USUBJID"].isin(["S-001", "S-002"]), "FUDUR"] = 20.0
    adaesi = episodes(study, {"S-002": 4}, "CYTOPENIA")
    found = values(study.change(adsl=adsl, adaesi=adaesi), "CYTOPENIA")
    assert found.loc["S-001", "REASND"] == "SHORTOBS"
    assert found.loc["S-002", "AVAL"] == 1
    assert found["AVAL"].notna().sum() == len(found) - 1


def test_where_no_adverse_events_were_collected_their_absence_means_nothing(study) -> None:
    found = values(study.change(adae=study.adae.iloc[:0]), "INFECTION")
    assert found["AVAL"].isna().all() and (found["REASND"] == "NOTCOLL").all()


def test_a_count_has_the_days_of_follow_up_beside_it(study) -> None:
    adaesi = pd.concat(
        [episodes(study, {"S-001": 3}), episodes(study, {"S-001": 3}).assign(EPISODE=2)]
    )
    sources = study.change(adsl=study.adsl.assign(FUDUR=77.0), adaesi=adaesi)
    found = values(sources, "NINFECT")
    assert found.loc["S-001", "AVAL"] == 2 and found["AVAL"].sum() == 2
    assert (found["ADURFU"] == 77).all()


def test_a_count_of_early_events_has_no_time_at_risk_after_their_window(study) -> None:
    adaesi = pd.concat(
        [
            episodes(study, {"S-001": 3, "S-002": 2}, "CRS", ASTDY=4.0),
            episodes(study, {"S-001": 3}, "CRS", ASTDY=60.0).assign(EPISODE=2),
        ]
    )
    adsl = study.adsl.assign(FUDUR=700.0)
    adsl.loc[adsl["USUBJID"] == "S-002", "FUDUR"] = 20.0
    found = values(study.change(adsl=adsl, adaesi=adaesi), "NCRS")
    assert found.loc[["S-001", "S-002"], "AVAL"].tolist() == [1, 1]
    assert found.loc[["S-001", "S-002"], "ADURFU"].tolist() == [28, 20]
    on_last_day = episodes(study, {"S-001": 3}, "CRS", ASTDY=28.0)
    assert values(study.change(adsl=adsl, adaesi=on_last_day), "NCRS").loc["S-001", "AVAL"] == 1


def test_an_event_that_went_on_or_ended_by_death_is_a_censored_duration(study) -> None:
    adaesi = episodes(
        study, {"S-001": 2, "S-002": 2, "S-003": 2, "S-004": 2}, "CRS",
        ADURN=[5, 6, 7, np.nan], ONGOFL=["N", "Y", "N", "N"], ADURRSN=["", "", "DIED", "NOEND"],
    )  # fmt: skip
    found = values(study.change(adaesi=adaesi), "CRSRES")
    assert found.loc[["S-001", "S-002", "S-003"], "CNSR"].tolist() == [0, 1, 1]
    assert found.loc["S-004", "REASND"] == "NOEND"
    assert found.loc["S-005", "REASND"] == "NOEPISODE"


def test_a_duration_in_whole_days_has_an_origin_in_whole_days(study) -> None:
    # From 2 January 20:00 (day 1.42) to 8 January 01:00 (day 6.6): over before a landmark on
    # day 7, which is 8 January 10:00, the seventh day of the event.
    adaesi = episodes(
        study, {"S-001": 2, "S-002": 2}, "CRS", ADURN=7.0, ASTDY=[1.42, 1.0], AENDY=6.6,
        ASTDTM=["2026-01-02T20:00", ""], ADURRSN="",
    )  # fmt: skip
    adsl = study.adsl.assign(TRTSDTM="2026-01-01T10:00")
    found = values(study.change(adaesi=adaesi, adsl=adsl), "CRSRES")
    assert found.loc["S-001", "STARTDY"] == 1
    assert found.loc["S-001", "AVAL"] <= 7 - found.loc["S-001", "STARTDY"] + 1
    # Without a date the day as it was derived stands.
    assert found.loc["S-002", "STARTDY"] == 1.0


def test_a_time_to_event_has_the_day_of_its_origin(study) -> None:
    adtte = conform(
        pd.DataFrame(
            {
                "STUDYID": "S", "USUBJID": ["S-001", "S-002"], "PARAMCD": "DOR", "PARAM": "DOR",
                "STARTDT": ["2026-02-01", "2026-02-01"], "AVAL": [30.0, 60.0], "CNSR": [0, 5],
                "SRCDOM": "RS", "SRCROW": [1, 2],
            }
        ),
        "ADTTE",
    )  # fmt: skip
    adsl = study.adsl.assign(TRTSDTM="2026-01-01T08:00")
    found = values(study.change(adtte=adtte, adsl=adsl), "DOR")
    assert found.loc[["S-001", "S-002"], "STARTDY"].tolist() == [31.0, 31.0]
    assert found.loc[["S-001", "S-002"], "CNSR"].tolist() == [0, 1]
    assert found.loc["S-003", "REASND"] == "NOTCOLL"


def test_a_study_adds_its_own_endpoint_from_a_response_parameter(study) -> None:
    adrs = study.adrs.assign(PARAMCD="RSPM3", AVALC=["CR", "PR", "NE", ""] * 15)
    found = values(
        study.change(adrs=adrs), kind="binary", response="RSPM3", levels=["CR"],
        unknown_response=True,
    )  # fmt: skip
    assert found["AVAL"].value_counts().to_dict() == {1.0: 15, 0.0: 15}
    assert (found.loc[found["AVAL"].isna(), "REASND"] == "UNKRESP").all()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"kind": "binary", "event": "CRS", "time": "PFS", "at_least": 1}, "exactly one"),
        ({"kind": "binary"}, "exactly one"),
        ({"kind": "count", "time": "PFS"}, "cannot be made"),
        ({"kind": "binary", "event": "CRS"}, "at_least"),
        ({"kind": "binary", "response": "CR"}, "levels"),
    ],
)
def test_a_rule_that_makes_no_endpoint_is_refused(rule, message) -> None:
    with pytest.raises(ValidationError, match=message):
        EndpointRule(code="OWN", **NAMES, **rule)


def test_an_endpoint_of_a_variable_that_ader_lacks_is_an_error_of_the_config(study) -> None:
    with pytest.raises(ConfigError, match="HEIGHT"):
        values(study.sources, kind="binary", variable="HEIGHT", at_least=1)
