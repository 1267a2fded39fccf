"""The command `celldossier nca`: files in, files out, exit codes."""

from __future__ import annotations

import argparse

import pandas as pd
import pytest

from celldossier.cli import nca
from celldossier.errors import ConfigError, InputDataError

CSV = """USUBJID,ANALYTE,TIME,CONC,BLQ,LLOQ
S1,PCR,0,,1,50
S1,PCR,7,1000.1,0,50
S1,PCR,10,8000.3,0,50
S1,PCR,14,<50,1,50
S1,PCR,21,,0,50
"""


@pytest.fixture
def command(tmp_path):
    """Run the command on texts; gives the exit code and the file of the parameters."""

    def run(csv=CSV, settings=None, *arguments):
        parser = argparse.ArgumentParser()
        nca.add_parser(parser.add_subparsers())
        (tmp_path / "conc.csv").write_text(csv, encoding="utf-8")
        words = ["nca", str(tmp_path / "conc.csv"), "-o", str(tmp_path / "out.csv"), *arguments]
        if settings is not None:
            (tmp_path / "settings.yaml").write_text(settings, encoding="utf-8")
            words += ["--settings", str(tmp_path / "settings.yaml")]
        options = parser.parse_args(words)
        return options.run(options), tmp_path / "out.csv"

    return run


def test_the_parameters_are_written_in_full_precision(command, capsys):
    code, path = command()
    assert code == 0
    assert path.read_text(encoding="utf-8").splitlines()[0] == (
        "USUBJID,ANALYTE,DOSENO,PARAMCD,AVAL,AVALU,FLAG,REASND"
    )
    rows = pd.read_csv(path, keep_default_na=False, dtype=str).set_index("PARAMCD")
    assert rows.loc["CMAX", "AVAL"] == "8000.3"
    area = 7 * 1000.1 / 2 + 3 * (1000.1 + 8000.3) / 2
    assert float(rows.loc["AUCLST", "AVAL"]) == pytest.approx(area, rel=1e-15)
    assert rows.loc["AUCLST", "AVAL"] == repr(float(rows.loc["AUCLST", "AVAL"]))
    assert rows.loc["LAMZ", "REASND"] == "NOLAMZ" and rows.loc["LAMZ", "AVAL"] == ""
    assert "5 samples: 4 used, 1 excluded." in capsys.readouterr().err


def test_units_are_those_of_the_options(command):
    _, path = command(CSV, None, "--conc-unit", "copies/ug", "--time-unit", "h")
    units = pd.read_csv(path).set_index("PARAMCD")["AVALU"]
    assert units["AUC28"] == "h*copies/ug" and units["LAMZ"] == "1/h"


def test_settings_are_keys_at_the_top_level(command):
    _, path = command(CSV, "partial_areas: [[0, 7], [0, 10]]\nstart: none\npeak_from: 0\n")
    codes = pd.read_csv(path)["PARAMCD"].tolist()
    assert "AUC7" in codes and "AUC10PE" in codes and "AUC7XE" not in codes


def test_faults_of_the_settings_are_named_all_at_once(command):
    with pytest.raises(ConfigError) as caught:
        command(CSV, "aucrule: linear\npeak_from: early\n")
    faults = caught.value.faults
    assert len(faults) == 2
    assert any("auc_rule" in fault and "line 1" in fault for fault in faults)


@pytest.mark.parametrize(
    ("csv", "words"),
    [
        (CSV.replace("1000.1", "abc"), "'abc'"),
        (CSV.replace(",LLOQ", ",LIMIT"), "The column LLOQ is missing"),
        (CSV.replace("10,8000.3", "7,8000.3"), "data rows 2, 3"),
        ("", "empty"),
        (CSV.splitlines()[0] + "\n", "no rows"),
    ],
)
def test_faults_of_the_data_are_input_errors(command, csv, words):
    with pytest.raises(InputDataError, match=words):
        command(csv)


def test_a_missing_file_is_an_input_error(tmp_path):
    options = argparse.Namespace(
        concentrations=tmp_path / "none.csv", settings=None, output=tmp_path / "o.csv"
    )
    with pytest.raises(InputDataError, match="does not exist"):
        nca.estimate_parameters(options)
