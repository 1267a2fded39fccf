from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from dose_study import make_dose_study, with_doses

from celldossier.exposure_response.dose_metrics import DOSE_METRICS, SHARES, read_dose_units
from celldossier.exposure_response.study import Study

STUDY = make_dose_study(n=12)


def with_infusions(study: Study, subject: int, **columns: object) -> Study:
    """The study in which one subject has a further infusion, a copy of the first but for these."""
    adex = study.sources.adex
    second = adex.iloc[[subject]].assign(DOSENO=2, SRCROW=1000, **columns)
    both = pd.concat([adex, second], ignore_index=True)
    return with_doses(replace(study, sources=replace(study.sources, adex=both)))


def test_every_metric_is_the_one_infusion_where_there_is_one() -> None:
    ader, adex, adpq = STUDY.ader, STUDY.sources.adex, STUDY.sources.adpq
    for name in ("DOSEA", "DOSETOT", "DOSEVIA", "DOSETGP", "DOSTGPKG", "DOSEKG"):
        assert ader[name].to_numpy() == pytest.approx(adex[name].to_numpy()), name
    for name, variable in SHARES.items():
        expected = adex["DOSETGP"].to_numpy() * adpq[variable].to_numpy() / 100
        assert ader[name].to_numpy() == pytest.approx(expected), name
    # CD4 and CD8 cells together are the transgene-positive dose, in the ratio of the lot.
    assert (ader["DOSECD4"] + ader["DOSECD8"]).to_numpy() == pytest.approx(ader["DOSETGP"])
    assert (ader["DOSECD4"] / ader["DOSECD8"]).to_numpy() == pytest.approx(adpq["CD4CD8"])


@pytest.mark.parametrize(
    ("columns", "times"),
    [
        ({"DOSETYPE": "SPLIT", "AFRLT": 2.0}, 2),
        ({"DOSETYPE": "REPEAT", "AFRLT": 28.0}, 2),
        ({"DOSETYPE": "REPEAT", "AFRLT": 35.0}, 1),
        ({"DOSETYPE": "RETREATMENT", "AFRLT": 20.0}, 1),
        ({"DOSETYPE": "UNPLANNED", "AFRLT": 2.0}, 1),
        ({"EXCAT": "LYMPHODEPLETION", "AFRLT": 1.0}, 1),
    ],
)
def test_planned_infusions_of_the_first_course_within_its_time_are_added_up(
    columns: dict[str, object], times: int
) -> None:
    found = with_infusions(STUDY, 3, **columns).ader
    for name in DOSE_METRICS:
        assert found[name].iloc[3] == pytest.approx(times * STUDY.ader[name].iloc[3]), name
        assert found[name].drop(3).equals(STUDY.ader[name].drop(3))


def test_each_infusion_has_the_share_of_its_own_lot() -> None:
    found = with_infusions(STUDY, 3, DOSETYPE="SPLIT", AFRLT=1.0, LOTID="L005").ader
    shares = STUDY.sources.adpq["TCMPCT"]
    dose = STUDY.sources.adex["DOSETGP"].iloc[3]
    assert found["DOSETCM"].iloc[3] == pytest.approx(dose * (shares[3] + shares[5]) / 100)


def test_a_missing_amount_makes_the_sum_unknown_and_not_smaller() -> None:
    found = with_infusions(STUDY, 3, DOSETYPE="SPLIT", AFRLT=1.0, DOSETGP=np.nan).ader
    assert found.loc[3, ["DOSETGP", "DOSETCM", "DOSECD4"]].isna().all()
    assert found.loc[3, "DOSETOT"] == pytest.approx(2 * STUDY.ader.loc[3, "DOSETOT"])
    no_lot = with_infusions(STUDY, 3, DOSETYPE="SPLIT", AFRLT=1.0, LOTID="?").ader
    assert np.isnan(no_lot.loc[3, "DOSETCM"]) and no_lot.loc[3, "DOSETGP"] > 0


def test_a_subject_without_an_infusion_has_no_dose() -> None:
    sources = replace(STUDY.sources, adex=STUDY.sources.adex.iloc[1:])
    found = with_doses(replace(STUDY, sources=sources)).ader
    assert found.loc[0, list(DOSE_METRICS)].isna().all()
    assert found.loc[1:, "DOSETGP"].notna().all()


def test_doses_in_several_units_have_none() -> None:
    adex = STUDY.sources.adex
    assert read_dose_units(adex)["DOSEA"] == "10^6 cells"
    assert read_dose_units(adex)["DOSTGPKG"] == "10^6 cells/kg"
    mixed = adex.assign(DOSEU=["mg", *adex["DOSEU"][1:]])
    assert read_dose_units(mixed)["DOSEA"] == ""
    assert read_dose_units(mixed)["DOSETGP"] == "10^6 cells"
