"""Progression, survival and follow-up: the planted hazard ratio, and dates that fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.hazard_regression import PHReg

from celldossier.simulation.draw import DrawnStudy, draw_study
from celldossier.simulation.specification import StudySpecification

STUDIES = Path(__file__).parents[3] / "resources" / "studies"
WITHIN = 3.5


def cox(study: DrawnStudy) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and standard errors of log2 AUC28 and burden for progression-free survival."""
    course = study.course
    alive = ~np.isnan(course.event_day)
    end = study.departure.end_day[alive]
    event = course.event_day[alive]
    design = np.column_stack(
        [
            np.log2(np.maximum(study.exposure.auc28[alive], 1.0)),
            study.infused["BURDENZ"].to_numpy(dtype=float)[alive],
        ]
    )
    fit = PHReg(np.minimum(event, end), design, status=event <= end, ties="efron").fit()
    return np.asarray(fit.params), np.asarray(fit.bse)


@pytest.mark.slow
def test_progression_has_a_hazard_ratio_of_0_85_per_doubling_of_auc28(large: DrawnStudy) -> None:
    found, error = cox(large)
    assert found[0] == pytest.approx(np.log(0.85), abs=WITHIN * error[0])
    assert error[0] < 0.006
    assert found[1] == pytest.approx(0.0, abs=WITHIN * error[1])


def test_another_hazard_ratio_is_planted_when_it_is_specified(ctx101: StudySpecification) -> None:
    content = ctx101.resized(4000).model_dump()
    content["survival"] |= {"hr_per_doubling": 1.0}
    found, error = cox(draw_study(StudySpecification.model_validate(content)))
    assert abs(found[0]) < WITHIN * error[0]


def test_responders_respond_before_they_progress(large: DrawnStudy) -> None:
    course = large.course
    first = large.times_of((28.0,))[:, 0]
    responder = course.responder & course.assessable
    assert (course.event_day[responder] > first[responder]).all()
    best = np.isin(course.assessments, ["CR", "CRi", "PR"])
    possible = responder & (large.departure.end_day > first)
    assert (best.any(axis=1) == possible).all()
    # Of subjects alike, non-responders progress first: far fewer are free at half a year.
    free = course.event_day > 180
    assert free[responder].mean() > 0.6
    assert free[course.assessable & ~course.responder].mean() < 0.1


def test_the_day_28_assessment_and_the_time_of_progression_agree(large: DrawnStudy) -> None:
    course = large.course
    progressed = course.assessments[:, 0] == "PD"
    assert (course.progression_day[progressed] == large.times_of((28.0,))[progressed, 0]).all()
    assert not (progressed & course.unscheduled).any()
    assert 0.05 < progressed.mean() < 0.2


def test_death_follows_progression_or_is_the_event(large: DrawnStudy) -> None:
    course = large.course
    dead = ~np.isnan(course.death_day)
    both = dead & ~np.isnan(course.progression_day)
    assert (course.death_day[both] > course.progression_day[both]).all()
    without = dead & np.isnan(course.progression_day) & (course.death_day > 28)
    assert (course.event_is_death[without]).all()
    assert (course.death_day[without] == course.event_day[without]).all()
    share = course.event_is_death.sum() / (~np.isnan(course.event_day)).sum()
    assert 0.02 < share < 0.08  # 8 % of the events from day 110 on


def test_leaving_is_as_frequent_as_planted_and_hides_later_deaths(large: DrawnStudy) -> None:
    reason = large.departure.reason
    n = reason.size
    assert 0.5 * 0.04 < (reason == "LOST TO FOLLOW-UP").mean() <= 0.04 + 3.5 * np.sqrt(0.04 / n)
    left = large.departure.left
    assert not (large.course.death_day[left] > large.departure.end_day[left]).any()


def test_disposition_response_and_death_of_ctx101_fit_together() -> None:
    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(STUDIES / "CTX-101" / f"{name}.csv", dtype=str, keep_default_na=False)

    ds, dm, rs, cm = read("ds"), read("dm").set_index("USUBJID"), read("rs"), read("cm")
    assert ds["USUBJID"].is_unique and len(ds) == 120
    dead = ds[ds["DSDECOD"] == "DEATH"].set_index("USUBJID")["DSSTDTC"]
    infused = dm[dm["RFXSTDTC"] != ""]
    assert dead.to_dict() == infused.loc[infused["DTHFL"] == "Y", "DTHDTC"].to_dict()
    progressed = rs[rs["RSSTRESC"] == "PD"].groupby("USUBJID")["RSDTC"].agg(["min", "count"])
    assert (progressed["count"] == 1).all()
    last = rs.groupby("USUBJID")["RSDTC"].max()
    assert (last[progressed.index] == progressed["min"]).all()
    later = cm[cm["CMCAT"] == "SUBSEQUENT THERAPY"].set_index("USUBJID")["CMSTDTC"]
    assert len(later) > 20
    assert (later > progressed.loc[later.index, "min"]).all()


def test_second_infusions_of_ctx101_are_told_apart() -> None:
    ex = pd.read_csv(STUDIES / "CTX-101" / "ex.csv", dtype=str, keep_default_na=False)
    cells = ex[ex["EXCAT"] == "CELL PRODUCT"].sort_values(["USUBJID", "EXSTDTC"])
    second = cells[cells.duplicated("USUBJID")]
    assert sorted(zip(second["EPOCH"], second["EXPLFL"], strict=True)) == [
        ("RETREATMENT", "Y"), ("RETREATMENT", "Y"), ("TREATMENT", "N"),
    ]  # fmt: skip
    first = cells.drop_duplicates("USUBJID")
    assert set(zip(first["EPOCH"], first["EXPLFL"], strict=True)) == {("TREATMENT", "Y")}
    again = ex[(ex["EPOCH"] == "RETREATMENT") & (ex["EXCAT"] == "LYMPHODEPLETION")]
    assert again.groupby("USUBJID").size().tolist() == [6, 6]
    pc = pd.read_csv(STUDIES / "CTX-101" / "pc.csv", dtype=str, keep_default_na=False)
    start = second.set_index("USUBJID")["EXSTDTC"]
    own = pc[pc["USUBJID"].isin(start.index)]
    assert (own["PCDTC"] < own["USUBJID"].map(start)).all()
