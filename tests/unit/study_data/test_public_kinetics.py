"""The public kinetics of 32 patients with B-ALL are read by mapping alone.

Their files have no licence, so that files of the same layout stand in for them here.
"""

from __future__ import annotations

import math

import pandas as pd
import pytest

from celldossier.cellular_kinetics.analysis_datasets import derive_nca_input, select_samples
from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.io.resources import shared_path
from celldossier.io.tables import read_domains
from celldossier.settings.model import Settings
from celldossier.settings.read import check_values, read_yaml
from celldossier.study_data.stage import derive_study_data

PREFIXES = {"CR": "CR-", "NR": "NR-", "PR": "PR-", "NegR": "NEGR-"}
COURSE = {0: 0.0, 3: 20.0, 7: 300.0, 14: 90.0, 28: 4.5, 60: 0.3}


def course(factor):
    """Rows of one patient: cells (y_ID 1), CD19-positive leukaemia (y_ID 2)."""
    cells = [(day, factor * value, 1) for day, value in COURSE.items()]
    return [*cells, (0, 900.0, 2), (28, 1.5, 2)]


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """The files as pandas sees them, and the parameters of the run's first stages."""
    folder = tmp_path_factory.mktemp("public")
    frames = []
    for place, (name, prefix) in enumerate(PREFIXES.items(), start=1):
        rows = [
            {"ID": number, "time": time, "y": value, "y_ID": kind, "Reg": 900.0}
            for number in (1, 2)
            for time, value, kind in course(place * number)
        ]
        frame = pd.DataFrame(rows)
        frame.to_csv(
            folder / f"Data_{name}.csv", index=False, float_format="%.10g", lineterminator="\r\n"
        )
        frames.append(frame.assign(USUBJID=prefix + frame["ID"].astype(str)))
    values = read_yaml(shared_path("config", "studies", "b_all_32.yaml"))
    values["study_data"]["root"] = str(folder)
    settings = check_values(values, Settings)
    data = derive_study_data(
        read_domains(settings.study_data),
        settings.study_data,
        settings.bioanalysis,
        settings.study,
    )
    samples = select_samples(data.datasets["ADPC"])
    given = [data.datasets[name] for name in ("ADSL", "ADEX", "ADCM")]
    parameters = estimate_nca(
        derive_nca_input(samples, *given), settings.cellular_kinetics
    ).parameters
    wide = parameters.astype({"PARAMCD": str, "USUBJID": str}).pivot(
        index="USUBJID", columns="PARAMCD", values="AVAL"
    )
    return pd.concat(frames), data, wide


def test_identifiers_that_begin_anew_in_each_file_are_told_apart(public):
    raw, data, wide = public
    assert data.errors == 0
    assert set(data.datasets["ADSL"]["USUBJID"]) == set(raw["USUBJID"]) == set(wide.index)
    assert len(wide) == 8


def test_leukaemia_cells_and_placeholders_are_accounted_for_and_not_used(public):
    raw, data, _ = public
    used = data.datasets["ADPC"]
    cells = raw[(raw["y_ID"] == 1) & (raw["time"] > 0)]
    pd.testing.assert_frame_equal(
        used.loc[used["AVAL"].notna(), ["USUBJID", "AFRLT", "AVAL"]].reset_index(drop=True),
        cells.sort_values(["USUBJID", "time"])[["USUBJID", "time", "y"]]
        .rename(columns={"time": "AFRLT", "y": "AVAL"})
        .reset_index(drop=True),
        check_dtype=False,
    )
    reasons = data.exclusions.loc[data.exclusions["domain"] == "PC", "reason"].value_counts()
    assert reasons["NOTSELECTED"] == (raw["y_ID"] != 1).sum()
    assert reasons["NOTDONE"] == ((raw["y_ID"] == 1) & (raw["time"] == 0)).sum()


def test_parameters_agree_with_pandas_and_with_the_closed_form(public):
    raw, _, wide = public
    cells = raw[(raw["y_ID"] == 1) & (raw["y"] > 0)]
    highest = cells.groupby("USUBJID")["y"].max()
    pd.testing.assert_series_equal(wide["CMAX"], highest, check_names=False)
    assert (wide["TMAX"] == 7).all()
    # 0 to 3 and 3 to 7 days linear, 7 to 14 and 14 to 28 days logarithmic.
    unit = (
        3 * 20 / 2
        + 4 * (20 + 300) / 2
        + (300 - 90) * 7 / math.log(300 / 90)
        + (90 - 4.5) * 14 / math.log(90 / 4.5)
    )
    assert wide.loc["CR-1", "AUC28"] == pytest.approx(unit, rel=1e-12)
    assert wide.loc["NEGR-2", "AUC28"] == pytest.approx(8 * unit, rel=1e-12)
