"""The file of reviewed lambda-z windows (R18): columns and points, checked apart from the data."""

from __future__ import annotations

import re

import pandas as pd

from celldossier.errors import InputDataError
from celldossier.io.decisions import WINDOW_USES

COLUMNS = ("id", "subject", "analyte", "use", "points", "reason", "author", "date")
"""Columns of ``half_life.csv`` that hold a value in each row; `dose` may be left out or blank."""
POINT = re.compile(r"^[0-9]+(?:\.(?P<digits>[0-9]+))?$")
"""A point in the file: a time since the dose, to the digits that are written out."""


def check_windows(table: pd.DataFrame) -> pd.DataFrame:
    """Type and check the decisions on windows, apart from the data.

    Parameters
    ----------
    table
        `COLUMNS` and, optional, dose, as text; `points` are times separated by semicolons.

    Returns
    -------
    DataFrame
        ID, USUBJID, ANALYTE, DOSENO (NaN where none is named), USE, POINTS (tuple of texts).

    Raises
    ------
    InputDataError
        With one sentence a fault: missing columns, blank cells, an unknown use, a point that
        is no time or stands twice, two decisions on one profile.
    """
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise InputDataError(
            [f"The column {column} is missing from the reviewed windows." for column in missing]
        )
    cells = table.reindex(columns=[*COLUMNS, "dose"]).fillna("").astype(str)
    cells = cells.apply(lambda column: column.str.strip()).reset_index(drop=True)
    faults = []
    points = []
    for number, row in enumerate(cells.to_dict("records"), start=1):
        place = f"Reviewed window {row['id'] or '(without id)'}, row {number}"
        for column in COLUMNS:
            if not row[column]:
                faults.append(f"{place}: {column} is blank; say what, why, who and when.")
        if row["use"] and row["use"].upper() not in WINDOW_USES:
            faults.append(f"{place}: use is {row['use']!r}; it must be IN or OUT.")
        if row["dose"] and not re.fullmatch(r"[1-9][0-9]*", row["dose"]):
            faults.append(f"{place}: dose is {row['dose']!r}, not a whole number from 1 on.")
        named = tuple(part.strip() for part in row["points"].split(";") if part.strip())
        for point in named:
            if not POINT.match(point):
                faults.append(f"{place}: the point {point!r} is no time.")
        if len(set(named)) < len(named):
            faults.append(f"{place}: a point stands twice in {row['points']!r}.")
        points.append(named)
    key = ["subject", "analyte", "dose"]
    for _, rows in cells[cells.duplicated(key, keep=False)].groupby(key, sort=True):
        uses = " and ".join(sorted(set(rows["use"].str.upper())))
        faults.append(
            f"{name_profile(*rows[key].iloc[0])}: several reviewed windows "
            f"({', '.join(rows['id'])}; {uses}); a profile has one, either of points IN or of "
            "points OUT."
        )
    twice = cells.loc[(cells["id"] != "") & cells.duplicated("id"), "id"]
    faults += [f"The id {name} stands at several reviewed windows." for name in sorted(set(twice))]
    if faults:
        raise InputDataError(faults)
    return pd.DataFrame(
        {
            "ID": cells["id"],
            "USUBJID": cells["subject"],
            "ANALYTE": cells["analyte"],
            "DOSENO": pd.to_numeric(cells["dose"].where(cells["dose"] != "")).astype("float64"),
            "USE": cells["use"].str.upper(),
            "POINTS": pd.Series(points, dtype=object),
        }
    )


def split_windows(
    windows: pd.DataFrame | None, repeated: bool
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """The windows of the courses and those of the doses, which they name.

    Where no doses are repeated, the course is the dose.
    """
    if windows is None or not repeated:
        return windows, None
    named = windows["DOSENO"].notna()
    return windows[~named], windows[named]


def name_profile(subject: str, analyte: str, dose: object) -> str:
    """The profile of a decision, as messages name it; `dose` may be blank or NaN."""
    known = dose != "" and dose == dose
    return f"{subject}, {analyte}" + (f", dose {float(str(dose)):g}" if known else "")
