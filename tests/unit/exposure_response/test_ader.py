from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from celldossier.datasets import conform
from celldossier.exposure_response.ader import derive_ader
from celldossier.exposure_response.endpoint_values import derive_event
from celldossier.exposure_response.stage import prepare_study
from celldossier.exposure_response.study import Sources
from celldossier.settings.exposure_response import ExposureResponseSettings

SETTINGS = ExposureResponseSettings()


def derive(study, **changed: pd.DataFrame) -> pd.DataFrame:
    return derive_ader(study.change(**changed), SETTINGS).set_index("USUBJID")


def response(sources: Sources) -> pd.DataFrame:
    """Rows of ADEREND of the objective response, by subject."""
    prepared = prepare_study(sources, SETTINGS)
    rows = prepared.aderend
    return rows[rows["PARAMCD"] == "OBJRESP"].set_index("USUBJID")


def test_ader_has_one_row_for_each_infused_subject_only(study) -> None:
    adsl = study.adsl.copy()
    adsl.loc[adsl["USUBJID"] == "S-007", "SAFFL"] = "N"
    ader = derive(study, adsl=adsl)
    assert len(ader) == 59 and "S-007" not in ader.index


def test_a_subject_without_a_crs_record_has_grade_0_where_events_were_collected(study) -> None:
    ader = derive(study)
    without = sorted(set(ader.index) - set(study.adae["USUBJID"]))
    assert without and (ader.loc[without, "CRSGR"] == 0).all()
    assert (ader["ICANSGR"] == 0).all()


def test_missing_collection_of_events_is_not_grade_0(study) -> None:
    ader = derive(study, adae=study.adae.iloc[:0])
    assert ader["CRSGR"].isna().all() and ader["ICANSGR"].isna().all()


def watch(*days: tuple[str, str, int, float]) -> pd.DataFrame:
    """Daily grades of components: subject, event, day, grade."""
    rows = [
        {
            "STUDYID": "S", "USUBJID": subject, "FAOBJ": event, "PARAMCD": "ASTCTGR",
            "AVAL": grade, "DTYPE": "REDERIVED", "ADY": day, "SRCDOM": "FA", "SRCROW": row,
        }
        for row, (subject, event, day, grade) in enumerate(days, start=1)
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), "ADFA")


def test_where_only_components_were_collected_nobody_looked_at_a_subject_without_them(
    study,
) -> None:
    derived = study.adae.assign(SRCDOM="FA", DTYPE="EPISODE")
    with_event = derived["USUBJID"].iloc[0]
    none = sorted(set(study.adsl["USUBJID"]) - set(derived["USUBJID"]))
    adfa = watch(
        (none[0], "CRS", 2, 0.0),
        (none[1], "ICANS", 2, 0.0),  # the other event
        (none[2], "CRS", 60, 0.0),  # after the window
        (none[3], "CRS", 2, math.nan),  # a day whose grade is not known
    )
    ader = derive(study, adae=derived, adfa=adfa)
    assert ader.loc[none[0], "CRSGR"] == 0 and ader.loc[none[0], "CRSRSN"] == ""
    assert ader.loc[none[1:5], "CRSGR"].isna().all()
    assert (ader.loc[none[1:5], "CRSRSN"] == "NOCOMPON").all()
    assert (ader.loc[none[1], "ICANSGR"], ader.loc[none[0], "ICANSRSN"]) == (0, "NOCOMPON")
    assert ader.loc[with_event, "CRSGR"] > 0
    # Where adverse events were collected too, the absence of one says that there was none.
    assert (derive(study, adfa=adfa).loc[none, "CRSGR"] == 0).all()


def test_a_grade_that_is_not_known_has_its_reason(study) -> None:
    adae = study.adae.copy()
    subject = adae["USUBJID"].iloc[0]
    adae.loc[adae["USUBJID"] == subject, "ATOXGRN"] = math.nan
    ader = derive(study, adae=adae)
    assert ader.loc[subject, "CRSRSN"] == "UNGRADED"
    assert (ader.loc[ader["CRSGR"].notna(), "CRSRSN"] == "").all()
    nothing = derive(study, adae=study.adae.iloc[:0])
    assert (nothing["CRSRSN"] == "NOTCOLL").all() and (nothing["ICANSRSN"] == "NOTCOLL").all()


def test_an_event_without_a_grade_leaves_the_worst_grade_unknown(study) -> None:
    adae = study.adae.copy()
    subject = adae["USUBJID"].iloc[0]
    adae.loc[adae["USUBJID"] == subject, "ATOXGRN"] = math.nan
    assert math.isnan(derive(study, adae=adae).loc[subject, "CRSGR"])


def test_an_event_with_a_partial_date_leaves_the_worst_grade_unknown_unless_a_known_one_is_as_bad(
    study,
) -> None:
    without = sorted(set(study.adsl["USUBJID"]) - set(study.adae["USUBJID"]))[0]
    event = study.adae.iloc[[0]].assign(ASTDY=math.nan, TRTEMFL="Y", SRCROW=900)
    dated = event.assign(ASTDY=3.0, SRCROW=901)
    for known, undated, expected in ((None, 2, math.nan), (1, 2, math.nan), (3, 2, 3)):
        rows = [study.adae, event.assign(USUBJID=without, ATOXGRN=float(undated))]
        if known is not None:
            rows.append(dated.assign(USUBJID=without, ATOXGRN=float(known)))
        found = derive(study, adae=pd.concat(rows)).loc[without, "CRSGR"]
        assert found == expected or (math.isnan(found) and math.isnan(expected))


def test_an_ungraded_event_beside_a_graded_one_leaves_the_worst_grade_unknown(study) -> None:
    event = study.adae.iloc[[0]]
    subject = event["USUBJID"].iloc[0]
    adae = pd.concat([study.adae, event.assign(ATOXGRN=math.nan, SRCROW=900)])
    assert math.isnan(derive(study, adae=adae).loc[subject, "CRSGR"])


def test_the_worst_grade_counts_events_that_begin_in_the_window_only(study) -> None:
    adae = study.adae.copy()
    subject = adae["USUBJID"].iloc[0]
    late = adae[adae["USUBJID"] == subject].assign(ATOXGRN=4, ASTDY=28.5, SRCROW=900)
    before = adae[adae["USUBJID"] == subject].assign(ATOXGRN=4, ASTDY=-3.0, TRTEMFL="N", SRCROW=901)
    expected = derive(study).loc[subject, "CRSGR"]
    found = derive(study, adae=pd.concat([adae, late, before])).loc[subject, "CRSGR"]
    assert found == expected < 4


def test_unknown_response_is_neither_yes_nor_no(study) -> None:
    ader = derive(study)
    unknown = ader["RESPGRP"] == "UNKNOWN"
    assert unknown.sum() == 6 and ader.loc[unknown, "OBJRESP"].isna().all()
    values = response(study.sources).loc[ader.index]
    assert derive_event(values, "EXCLUDED")[unknown].isna().all()
    assert (values.loc[unknown, "REASND"] == "UNKRESP").all()
    assert (derive_event(values, "NONRESPONDER")[unknown] == 0).all()


def test_response_that_was_not_collected_stays_missing_under_both_rules(study) -> None:
    ader = derive(study, adrs=study.adrs.iloc[:0])
    values = response(study.change(adrs=study.adrs.iloc[:0]))
    assert (ader["RESPGRP"] == "").all() and (values["REASND"] == "NOTCOLL").all()
    assert derive_event(values, "NONRESPONDER").isna().all()


def test_the_landmark_concentration_is_the_last_sample_by_then(study) -> None:
    ader = derive(study)
    assert ader["CLD3"].to_numpy() == pytest.approx(ader["CMAX"].to_numpy() * 3 / 100)
    assert (ader["CLD3DY"] == 3.05).all() and (ader["CLD7DY"] == 7.05).all()


def test_a_sample_older_than_the_lookback_does_not_stand_for_a_landmark(study) -> None:
    adpc = study.adpc[study.adpc["NFRLT"] != 7.0]
    ader = derive(study, adpc=adpc)
    assert ader["CLD7"].isna().all()
    adpc = study.adpc[study.adpc["NFRLT"] != 3.0]
    assert (derive(study, adpc=adpc)["CLD3DY"] == 1.05).all()


def test_a_blq_landmark_sample_is_half_the_lloq(study) -> None:
    adpc = study.adpc.copy()
    chosen = (adpc["USUBJID"] == "S-001") & (adpc["NFRLT"] == 3.0)
    adpc.loc[chosen, ["AVAL", "BLQFL"]] = [math.nan, "Y"]
    assert derive(study, adpc=adpc).loc["S-001", "CLD3"] == 25.0


def test_a_missing_exposure_has_its_reason(study) -> None:
    adpp = study.adpp.copy()
    chosen = (adpp["USUBJID"] == "S-002") & (adpp["PARAMCD"] == "AUC28")
    adpp.loc[chosen, "AVAL"] = math.nan
    adpp.loc[chosen, "PPREASND"] = "EXTRAPOL"
    adpp = adpp[adpp["USUBJID"] != "S-003"]
    ader = derive(study, adpp=adpp)
    assert ader.loc["S-002", "EXPRSN"] == "AUC28=EXTRAPOL"
    assert ader.loc["S-003", "EXPRSN"] == "AUC28=NOCK; CMAX=NOCK; CMAXTMAX=NOCK"
    assert ader.loc["S-004", "EXPRSN"] == ""


def test_never_quantifiable_is_half_the_lloq_in_the_sensitivity_variables_only(study) -> None:
    adpp = study.adpp.copy()
    chosen = adpp["USUBJID"] == "S-005"
    adpp.loc[chosen, "AVAL"] = adpp.loc[chosen, "PARAMCD"].map(
        {"CMAX": 0.0, "AUC28": 0.0, "CMAXTMAX": np.nan}
    )
    row = derive(study, adpp=adpp).loc["S-005"]
    assert (row["CMAX"], row["AUC28"]) == (0, 0)
    assert (row["CMAXSEN"], row["AUC28SEN"]) == (25, 700)


def test_of_several_infusions_the_course_from_the_first_is_the_exposure(study) -> None:
    second = study.adpp.assign(PROFTYP="DOSE", DOSENO=2, AVAL=1.0)
    first = second.assign(DOSENO=1, AVAL=0.5)
    ader = derive(study, adpp=pd.concat([study.adpp, second, first]))
    assert (ader["CMAX"] > 1).all()


def test_medication_long_after_the_infusion_is_not_rescue(study) -> None:
    assert (derive(study, adcm=study.adcm.assign(ASTDY=60.0))["TOCIFL"] == "N").all()
    assert (derive(study, adcm=study.adcm.assign(ASTDY=28.0))["TOCIFL"] == "Y").any()


def test_medication_before_the_infusion_is_not_rescue(study) -> None:
    ader = derive(study, adcm=study.adcm.assign(ASTDY=-2.0))
    assert (ader["TOCIFL"] == "N").all()
    assert (derive(study, adcm=study.adcm.iloc[:0])["TOCIFL"] == "").all()


def test_the_peak_at_the_target_site_is_that_of_the_configured_compartment(study) -> None:
    rows = [
        ("S-001", "BONE MARROW", 7.0, 500.0, "N", "Y"),
        ("S-001", "BONE MARROW", 28.0, 90.0, "N", "Y"),
        ("S-001", "BONE MARROW", -1.0, 900.0, "N", "Y"),  # before the infusion
        ("S-001", "BONE MARROW", 14.0, 800.0, "N", "N"),  # not analysed
        ("S-001", "BLOOD", 7.0, 700.0, "N", "Y"),
        ("S-002", "BONE MARROW", 7.0, math.nan, "Y", "Y"),
    ]
    columns = ["USUBJID", "COMPART", "AFRLT", "AVAL", "BLQFL", "ANL01FL"]
    adtiss = pd.DataFrame(rows, columns=columns).assign(
        STUDYID="S", PARAMCD="PCR", PARAM="PCR", COMPTYP="SPECIMEN", CENTFL="N", SRCDOM="PC",
        SRCROW=range(1, len(rows) + 1),
    )  # fmt: skip
    settings = ExposureResponseSettings(
        metrics=("CMAX", "AUC28", "CMAXSITE"), target_site="BONE MARROW"
    )
    found = derive_ader(study.change(adtiss=conform(adtiss, "ADTISS")), settings)
    peak = found.set_index("USUBJID")["CMAXSITE"]
    assert peak["S-001"] == 500 and peak["S-002"] == 0 and peak.notna().sum() == 2


def test_the_peak_at_a_site_needs_the_site() -> None:
    with pytest.raises(ValidationError, match="target_site"):
        ExposureResponseSettings(metrics=("CMAX", "AUC28", "CMAXSITE"))
