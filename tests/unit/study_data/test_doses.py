"""Amounts of cells by basis, and the kinds of infusions."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import make_study


def rows(data, domain="EX"):
    adex = data.datasets["ADEX"]
    return adex[adex["SRCDOM"] == domain].set_index("SRCROW").sort_index()


def found(data, rule):
    findings = data.findings
    return findings[findings["rule_id"] == rule]


def plan(study, *infusions):
    """Replace the infusions of subject A: day, and the cells of EX that differ."""
    table = study.tables["EX"]
    study.tables["EX"] = table[table["USUBJID"] != "A"].reset_index(drop=True)
    study.tables["EX"]["EXPLFL"] = ""
    study.tables["EX"].index = pd.RangeIndex(1, len(study.tables["EX"]) + 1, name="row")
    for day, changes in infusions:
        start = pd.Timestamp("2024-03-01T10:00") + pd.Timedelta(days=day)
        own = {
            "EXSTDTC": start.strftime("%Y-%m-%dT%H:%M"),
            "EXENDTC": "",
            "EXDOSE": "98",
            "EXPLFL": "",
        }
        study.repeat("EX", 1, {"USUBJID": "A", "EXLOT": "L1", "EXPDOSE": "100", **own, **changes})
        for name in changes:
            study.tables["EX"][name] = study.tables["EX"][name].fillna("")
    return study


def kinds(study):
    adex = rows(study.derive())
    adex = adex[adex["USUBJID"] == "A"].sort_values("DOSENO")
    return adex


# --- amounts ---


def test_the_dose_is_the_amount_of_its_basis(study):
    study.set("EX", 2, "EXDOSVIA", "200")
    study.set("EX", 2, "EXDOSTOT", "250")
    adex = rows(study.derive())
    assert adex.loc[2, ["DOSETOT", "DOSEVIA", "DOSETGP"]].tolist() == [250, 200, 98]
    assert adex.loc[2, ["DTYPTOT", "DTYPVIA", "DTYPTGP"]].tolist() == ["", "", "EXDOSE"]
    assert adex.loc[2, "DOSTGPKG"] == pytest.approx(98 / 70)
    assert adex.loc[2, "DOSTOTKG"] == pytest.approx(250 / 70)
    area = 0.007184 * 70**0.425 * 170**0.725
    assert adex.loc[2, "DOSTGPM2"] == pytest.approx(98 / area)
    assert adex.loc[2, ["DOSEM2", "DOSPM2"]].tolist() == pytest.approx([98 / area, 100 / area])
    assert adex.loc[2, ["PDOSTGP", "RATTGP", "WINTGPFL"]].tolist() == [100, 0.98, "Y"]
    assert adex.loc[2, "EXDURM"] == 20
    assert adex.loc[2, "DOSEDEV"] == pytest.approx(-2)
    # Lymphodepletion has no cells.
    assert adex.loc[1, ["DOSETGP", "DOSEKG", "DOSENO"]].isna().all()
    assert adex.loc[1, ["DOSEU", "DOSETYPE"]].tolist() == ["mg/m2", ""]


def test_a_product_without_transgene_counts_viable_cells(study):
    study.options["dosing"] = {"dose_basis": "viable"}
    adex = rows(study.derive())
    assert adex.loc[2, "DOSEVIA"] == 98 and adex["DOSETGP"].isna().all()
    assert adex.loc[2, "DOSEBAS"] == "VIA"


def test_a_dose_per_body_weight_becomes_cells_and_is_not_divided_again(study):
    for row, dose in ((2, "1.4"), (3, "4.2")):
        study.set("EX", row, "EXDOSE", dose)
        study.set("EX", row, "EXPDOSE", "2")
        study.set("EX", row, "EXDOSU", "10^6 cells/kg")
    adex = rows(study.derive())
    assert adex.loc[2, ["DOSEKG", "DOSEKGU", "DTYPTGP"]].tolist() == [
        1.4,
        "10^6 cells/kg",
        "WEIGHT",
    ]
    assert adex.loc[2, "DOSETGP"] == pytest.approx(98)
    assert adex.loc[2, "PDOSTGP"] == pytest.approx(140)
    area = 0.007184 * 70**0.425 * 170**0.725
    assert adex.loc[2, "DOSEM2"] == pytest.approx(98 / area)
    assert adex.loc[2, "DOSEM2U"] == "10^6 cells/m2"


def set_dose(study, row, dose, planned, unit):
    for column, value in (("EXDOSE", dose), ("EXPDOSE", planned), ("EXDOSU", unit)):
        study.set("EX", row, column, value)


@pytest.mark.parametrize(
    ("dose", "planned", "unit", "amount"),
    [
        # Weight bands: per kg up to a weight, as such above it (50 kg here).
        ("2", "2.5", "10^6 cells/kg", 100),
        ("2.1", "2", "10^8 cells", 210),
    ],
)
def test_doses_in_several_units_are_brought_to_cells(study, dose, planned, unit, amount):
    set_dose(study, 3, dose, planned, unit)
    data = study.derive()
    assert data.errors == 0
    adex = rows(data)
    assert adex.loc[[2, 3], "DOSEU"].tolist() == ["10^6 cells", "10^6 cells"]
    assert adex.loc[3, "DOSEA"] == pytest.approx(amount)
    assert adex.loc[3, "DOSEP"] == pytest.approx(amount * float(planned) / float(dose))
    assert adex.loc[3, "DOSERAT"] == pytest.approx(float(dose) / float(planned))
    assert adex.loc[3, ["DOSEKG", "DOSETGP"]].tolist() == pytest.approx([amount / 50, amount])
    # Lymphodepletion keeps its unit.
    assert adex.loc[1, ["DOSEA", "DOSEU"]].tolist() == [30, "mg/m2"]
    assert found(data, "DOSECONVERTED")["row"].tolist() == [3]
    assert found(data, "DOSEBASIS").empty


@pytest.mark.parametrize("unit", ["cells", "mg"])
def test_a_unit_that_makes_no_possible_dose_stops_the_run(study, unit):
    set_dose(study, 3, "210", "200", unit)
    data = study.derive()
    assert found(data, "DOSEUNITMIXED")[["row", "severity"]].values.tolist() == [[3, "error"]]
    assert found(data, "DOSECONVERTED").empty


def test_a_dose_per_weight_needs_the_weight(study):
    study.set("DM", 1, "WTBL", "")
    for row in (2, 3):
        set_dose(study, row, "2", "2", "10^6 cells/kg")
    data = study.derive()
    assert rows(data).loc[2, "DOSETGP"] != rows(data).loc[2, "DOSETGP"]
    assert found(data, "DOSENOBODY")["row"].tolist() == [2]
    # An amount of its own column needs no weight.
    study.set("EX", 2, "EXDOSTGP", "140")
    assert found(study.derive(), "DOSENOBODY").empty


def test_without_the_declared_rule_no_amount_is_computed_from_the_lot(study):
    study.set("LOTS", 1, "VIABPCT", "80")
    study.set("LOTS", 1, "TRANSPCT", "50")
    data = study.derive()
    assert rows(data).loc[2, ["DOSETOT", "DOSEVIA"]].isna().all()
    assert found(data, "DOSEDERIVED").empty


def test_an_amount_comes_from_the_lot_with_a_note(study):
    study.set("LOTS", 1, "VIABPCT", "80")
    study.set("LOTS", 1, "TRANSPCT", "50")
    study.options["dosing"] = {"missing_amounts": "from_lot"}
    data = study.derive()
    adex = rows(data)
    assert adex.loc[2, ["DOSETGP", "DOSEVIA", "DOSETOT"]].tolist() == [98, 196, 245]
    assert adex.loc[2, ["DTYPTGP", "DTYPVIA", "DTYPTOT"]].tolist() == ["EXDOSE", "LOT", "LOT"]
    # The lot of the other subject gives no attributes.
    assert adex.loc[3, ["DOSEVIA", "DOSETOT"]].isna().all()
    notes = found(data, "DOSEDERIVED")
    assert notes[["severity", "row"]].to_numpy().tolist() == [["note", 2], ["note", 2]]


def test_a_recorded_amount_is_never_replaced_by_that_of_the_lot(study):
    study.set("EX", 2, "EXDOSVIA", "150")
    study.set("LOTS", 1, "TRANSPCT", "50")
    study.options["dosing"] = {"missing_amounts": "from_lot"}
    assert rows(study.derive()).loc[2, ["DOSEVIA", "DTYPVIA"]].tolist() == [150, ""]


def test_each_basis_has_its_plan_and_its_window(study):
    study.set("EX", 2, "EXDOSVIA", "130")
    study.options["dosing"] = {
        "planned_amounts": {"DL1": {"viable": 200.0}},
        "basis_windows": {"viable": [0.7, 1.3]},
    }
    data = study.derive()
    adex = rows(data)
    assert adex.loc[2, ["PDOSVIA", "RATVIA", "WINVIAFL"]].tolist() == [200, 0.65, "N"]
    assert adex.loc[2, "INWINFL"] == "Y"
    assert found(data, "DOSEWINDOWBASIS")["row"].tolist() == [2]
    study.set("EX", 2, "EXDOSVIA", "140")
    assert rows(study.derive()).loc[2, "WINVIAFL"] == "Y"


def test_a_lot_beyond_its_shelf_life_is_found(study):
    study.options["dosing"] = {"shelf_life": 41}
    assert found(study.derive(), "LOTEXPIRED").empty
    study.options["dosing"] = {"shelf_life": 40.5}
    # L1 was made 41 days before its infusion, L2 as well.
    assert found(study.derive(), "LOTEXPIRED")["row"].tolist() == [2, 3]


# --- kinds of infusions ---


def test_planned_repeat_doses_have_dose_numbers_and_cycles(study):
    days = (0, 7, 14, 35, 42)
    plan(study, *((day, {"EXTPTNUM": str(day), "EXPLFL": "Y"}) for day in days))
    study.options["dosing"] = {"cycle_gap": 14}
    adex = kinds(study)
    assert adex["DOSETYPE"].tolist() == ["FIRST", *["REPEAT"] * 4]
    assert adex["CYCLE"].tolist() == [1, 1, 1, 2, 2]
    assert adex["PDOSENO"].tolist() == [1, 2, 3, 4, 5]
    assert set(adex["COURSE"]) == {1} and set(adex["FRACNO"]) == {1}
    assert adex["CUMDOSE"].tolist() == [98, 196, 294, 392, 490]


def test_the_cumulative_dose_is_unknown_from_an_unknown_dose_on(study):
    plan(study, (0, {}), (14, {"EXDOSE": ""}), (28, {}))
    assert kinds(study)["CUMDOSE"].fillna(-1).tolist() == [98, -1, -1]


def test_the_fractions_of_a_split_dose_are_one_dose(study):
    plan(study, (0, {"EXDOSE": "10", "EXPDOSE": "10"}), (9, {"EXDOSE": "360", "EXPDOSE": "400"}))
    study.options["dosing"] = {"split_window": 12}
    adex = kinds(study)
    assert adex["DOSETYPE"].tolist() == ["FIRST", "SPLIT"]
    assert adex["FRACNO"].tolist() == [1, 2] and set(adex["PDOSENO"]) == {1}
    assert adex["DOSESUM"].tolist() == [370, 370]
    assert adex["SUMRAT"].tolist() == pytest.approx([370 / 410] * 2)


def test_the_same_two_infusions_without_the_window_are_two_doses(study):
    plan(study, (0, {}), (9, {}))
    assert kinds(study)["DOSETYPE"].tolist() == ["FIRST", "REPEAT"]
    assert kinds(study)["PDOSENO"].tolist() == [1, 2]


def test_a_retreatment_begins_a_course_and_an_unplanned_infusion_does_not(study):
    plan(
        study,
        (0, {"EXPLFL": "Y", "EPOCH": "TREATMENT"}),
        (20, {"EXPLFL": "N", "EPOCH": "TREATMENT"}),
        (200, {"EXPLFL": "N", "EPOCH": "RETREATMENT"}),
    )
    adex = kinds(study)
    assert adex["DOSETYPE"].tolist() == ["FIRST", "UNPLANNED", "RETREATMENT"]
    assert adex["COURSE"].tolist() == [1, 1, 2]
    assert adex["PDOSENO"].fillna(0).tolist() == [1, 0, 1]
    assert adex["COURDOSE"].tolist() == [98, 98, 98]
    assert adex["CUMDOSE"].tolist() == [98, 196, 294]


def test_a_long_gap_is_a_retreatment_only_where_the_study_says_so(study):
    plan(study, (0, {}), (200, {}), (207, {}))
    assert kinds(study)["DOSETYPE"].tolist() == ["FIRST", "REPEAT", "REPEAT"]
    study.options["dosing"] = {"retreatment_after": 100}
    adex = kinds(study)
    assert adex["DOSETYPE"].tolist() == ["FIRST", "RETREATMENT", "RETREATMENT"]
    assert adex["COURSE"].tolist() == [1, 2, 2]


def test_a_gap_of_just_the_limit_is_no_retreatment(study):
    plan(study, (0, {}), (100, {}), (201, {}))
    study.options["dosing"] = {"retreatment_after": 100}
    assert kinds(study)["DOSETYPE"].tolist() == ["FIRST", "REPEAT", "RETREATMENT"]


def test_planned_days_tell_what_is_planned(study):
    plan(study, (0, {}), (8, {}), (20, {}))
    study.options["dosing"] = {"planned_days": [0, 7, 14]}
    assert kinds(study)["DOSETYPE"].tolist() == ["FIRST", "REPEAT", "UNPLANNED"]


def test_without_a_plan_a_dose_without_planned_dose_is_unplanned(study):
    plan(study, (0, {}), (20, {"EXPDOSE": ""}))
    assert kinds(study)["DOSETYPE"].tolist() == ["FIRST", "UNPLANNED"]


# --- invariants ---

DAYS = st.lists(st.integers(1, 300), min_size=0, max_size=5, unique=True)
MARK = st.sampled_from(["", "Y", "N"])
EPOCHS = st.sampled_from(["", "TREATMENT", "RETREATMENT"])
MARKS = st.lists(st.tuples(MARK, EPOCHS), min_size=6, max_size=6)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(days=DAYS, marks=MARKS, order=st.randoms())
def test_neither_order_of_rows_nor_names_of_subjects_matter(days, marks, order):
    infusions = [
        (day, {"EXPLFL": mark, "EPOCH": epoch})
        for day, (mark, epoch) in zip([0, *sorted(days)], marks, strict=False)
    ]
    options = {"split_window": 12, "cycle_gap": 20, "retreatment_after": 150}
    wanted = ["DOSENO", "DOSETYPE", "COURSE", "CYCLE", "PDOSENO", "FRACNO", "CUMDOSE", "DOSESUM"]

    def result(infusions, rename):
        study = plan(make_study(), *infusions)
        study.options["dosing"] = options
        for name, table in study.tables.items():
            changed = table.assign(USUBJID=table["USUBJID"].replace("A", rename))
            study.tables[name] = changed
        adex = study.derive().datasets["ADEX"]
        adex = adex[(adex["USUBJID"] == rename) & (adex["DOSETYPE"] != "")]
        return adex.sort_values("DOSENO")[wanted].reset_index(drop=True)

    shuffled = list(infusions)
    order.shuffle(shuffled)
    straight = result(infusions, "A")
    pd.testing.assert_frame_equal(straight, result(shuffled, "A"))
    pd.testing.assert_frame_equal(straight, result(infusions, "ZZ"))
    assert straight["DOSETYPE"].iloc[0] == "FIRST"
    assert (straight["DOSETYPE"] == "FIRST").sum() == 1


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(factor=st.floats(0.01, 100))
def test_scaling_doses_scales_them_per_weight_and_leaves_their_ratio(factor):
    study = make_study()
    before = rows(study.derive())
    for row in (2, 3):
        for name in ("EXDOSE", "EXPDOSE"):
            value = float(study.tables["EX"].loc[row, name]) * factor
            study.set("EX", row, name, repr(value))
    after = rows(study.derive())
    for name in ("DOSEKG", "DOSEM2", "DOSTGPKG", "CUMDOSE"):
        expected = (before[name] * factor).dropna()
        assert after[name].dropna().tolist() == pytest.approx(expected.tolist())
    assert after["DOSERAT"].tolist() == pytest.approx(before["DOSERAT"].tolist())


@pytest.mark.parametrize("rule", ["DOSEDERIVED", "DOSECONTRADICTION"])
def test_findings_on_amounts_name_the_cells_in_the_language_of_the_reader(study, rule):
    study.options["dosing"] = {"missing_amounts": "from_lot"}
    for row in (1, 2):
        study.set("LOTS", row, "VIABPCT", "85")
        study.set("LOTS", row, "TRANSPCT", "42")
    study.set("EX", 2, "EXDOSVIA", "10")
    found = study.derive().findings.query("rule_id == @rule")
    assert len(found)
    assert not found["message_zh"].str.contains("viable|total|transgene").any()
    assert not found["message_en"].str.contains("transgene_positive", regex=False).any()
    assert found["message_zh"].str.contains("活细胞|总细胞").any()
