"""The section `cellular_kinetics` and the parameter registry."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from celldossier.cellular_kinetics.peaks import OF_ALL_SAMPLES
from celldossier.cellular_kinetics.phase_datasets import _PARAMETERS as PHASE_PARAMETERS
from celldossier.io.resources import read_resource
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.terms.parameters import (
    find_parameter,
    order_parameters,
    parameter_unit,
    read_parameters,
)


def test_the_defaults_are_those_of_the_rules():
    # The rules of what lies beyond the NCA are not among its own.
    others = {
        "phases",
        "summaries",
        "compartments",
        "figures",
        "concordance",
        "bridging",
        "persistence",
        "sampling",
    }
    assert CellularKineticsSettings().model_dump(mode="json", exclude=others) == {
        "preset": "celldossier",
        "crosswalk": [],
        "auc_rule": "linear_up_log_down",
        "partial_areas": [[0.0, 28.0]],
        "tail": "auto",
        "blq": {"embedded": "auto"},
        "start": "zero",
        "peak_from": 1.0,
        "gate": "before",
        "lambda_z": {"min_points": 3, "min_r2adj": 0.80, "min_span": 2.0},
        "max_extrapolation": 20.0,
        "duplicates": "error",
        "end_window": 3.0,
        "no_specific_marker": [],
        "dosing_interval": None,
        "trough_window": 1.0,
        "interval_window": 25.0,
        "interval_tolerance": 20.0,
        "primary_analyte": "PCR",
    }


@pytest.mark.parametrize(
    "values",
    [
        {"aucrule": "linear"},
        {"auc_rule": "trapezoid"},
        {"partial_areas": [[7, 28]]},
        {"partial_areas": [[0, 1000]]},
        {"partial_areas": [[0, 0]]},
        {"partial_areas": [[0, 28], [0, 28.0]]},
        {"lambda_z": {"min_points": 2}},
        {"lambda_z": {"min_r2adj": 1.1}},
        {"max_extrapolation": -1},
        {"end_window": "three"},
        {"baseline_adjusted": ["CYTOKINE"]},
        {"half_life_windows": "half_life.csv"},
    ],
)
def test_unknown_keys_and_values_out_of_bounds_are_refused(values):
    with pytest.raises(ValidationError):
        CellularKineticsSettings.model_validate(values)


def test_partial_areas_give_codes_of_at_most_eight_characters(nca):
    answer = nca([(0, "BLQ"), (1, 90.0), (4, 60.0)], partial_areas=[[0, 3.5], [0, 365], [0, 90]])
    codes = [code for code in answer if re.match(r"AUC[0-9]", code)]
    assert codes == ["AUC3P5", "AUC90", "AUC365", "AUC3P5PE", "AUC90PE", "AUC365PE"]
    assert max(map(len, codes)) <= 8


def test_every_parameter_is_in_the_registry_and_has_words_in_both_languages(nca):
    answer = nca([(0, "BLQ"), (0.5, 80.0), (7, 900.0)], {"TAU": 7.0}, peak_from=1)
    assert list(answer) == order_parameters(answer)
    for code in {*answer, *read_parameters()} - {"AUC#", "AUC#PE", "AUC#XE", "AUC#AB", "AUC#BB"}:
        entry = find_parameter(code)
        assert entry.en and re.search("[\u4e00-\u9fff]", entry.zh), code
    # Those of the phases, of all samples and of the sampling come from analyses of their own.
    others = set(PHASE_PARAMETERS) | set(OF_ALL_SAMPLES.values()) | {"PEAKGAP"}
    others |= {"BASE", "RCMAX", "AUC#AB", "AUC#BB"}
    assert len(answer) == len(set(read_parameters()) - others)


def test_every_code_that_can_stand_beside_a_value_has_words_in_both_languages():
    words = read_resource("terms", "reason_codes.yaml")
    codes = set(re.findall(r'"([A-Z][A-Z0-9]{2,7})"', _sources()))
    parameters = set(read_parameters()) | {"AUC28"}
    columns = {"USUBJID", "ANALYTE", "DOSENO", "TIME", "NTIME", "CONC", "BLQ", "LLOQ", "ULOQ"}
    columns |= {"DOSE", "DOSETIME", "TAU", "CENSTIME", "CONCU", "ROW", "RELTIME", "VALUE"}
    columns |= {"DISPOS", "USED", "IMPUTED", "LZFL", "CODE", "PARAMCD", "AVAL", "AVALU", "FLAG"}
    columns |= {"REASND", "LAMZICPT", "R2", "CLSTP", "GATE", "LOWER", "UPPER", "STATUS"}
    columns |= {"DOSETIME", "NDOSETIME", "CYCLE", "GAP", "INTERVAL", "COPY", "REPEATED"}
    columns |= {"PREVIOUS", "NEXT", "NEXTTIME", "LASTDOSE", "PROFILE", "REVFL"}
    statuses = {"PASS", "LOSS", "NEVER"}
    unknown = codes - set(words) - parameters - columns - statuses
    assert unknown == set()


def _sources():
    from pathlib import Path

    import celldossier.cellular_kinetics as package

    modules = ("areas", "columns", "dispositions", "doses", "imputation", "intervals")
    modules += ("frames", "lambda_z", "limbs", "nca", "parameters", "profiles", "records")
    folder = Path(package.__file__).parent
    return "\n".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in modules)


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("CMAX", "copies/ug"),
        ("TMAX", "d"),
        ("AUC28", "d*copies/ug"),
        ("AUC28PE", "%"),
        ("CMAXTMAX", "copies/ug/d"),
        ("LAMZ", "1/d"),
        ("LAMZNPT", ""),
    ],
)
def test_units_follow_the_unit_rule(nca, code, unit):
    answer = nca([(0, "BLQ"), (7, 900.0)], columns={"CONCU": "copies/ug"})
    assert answer[code].unit == unit == parameter_unit(code, "d", "copies/ug")


def test_without_a_unit_of_concentration_only_its_units_are_blank(nca):
    answer = nca([(0, "BLQ"), (7, 900.0)])
    assert (answer["CMAX"].unit, answer["AUC28"].unit, answer["TMAX"].unit) == ("", "", "d")
