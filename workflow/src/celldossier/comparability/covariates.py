"""Covariates that an adjusted ratio holds equal, as columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.comparability.study import Study

DOSE = "DOSEA"


@dataclass(frozen=True)
class Covariates:
    """Columns of the covariates, in the rows of the subjects.

    Attributes
    ----------
    matrix
        Shape (n, k); a row with a NaN lacks a covariate. A text is a column of 0 and 1 for each
        level but the most frequent one.
    columns
        Names of the k columns, such as ``AGE`` and ``INDIC=NHL``.
    used
        Variables that have a column.
    unused
        Variables of the settings that have none: not collected, or the same for all.
    """

    matrix: NDArray[np.float64]
    columns: tuple[str, ...]
    used: tuple[str, ...]
    unused: tuple[str, ...]


def read_covariates(study: Study, compared: pd.Series) -> Covariates:
    """Covariates of the settings; several studies are one more, STUDYID.

    Parameters
    ----------
    compared
        Whether each subject is in one of the two groups, shape (n,): what does not vary among
        these is no covariate.
    """
    names = list(study.settings.adjust_for)
    if names and study.subjects.loc[compared, "STUDYID"].nunique() > 1:
        names.append("STUDYID")
    parts: list[pd.DataFrame] = []
    used: list[str] = []
    for name in dict.fromkeys(names):
        columns = _columns(study.subjects[name], name, compared)
        if columns.shape[1]:
            parts.append(columns)
            used.append(name)
    table = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=study.subjects.index)
    return Covariates(
        table.to_numpy(dtype=float),
        tuple(str(column) for column in table.columns),
        tuple(used),
        tuple(name for name in dict.fromkeys(names) if name not in used),
    )


def _columns(values: pd.Series, name: str, compared: pd.Series) -> pd.DataFrame:
    """Columns of one variable; none where it is not known or does not vary."""
    if not pd.api.types.is_numeric_dtype(values):
        known = values[compared & (values != "")].astype(str)
        # Of two levels as frequent the first by name is the reference.
        levels = sorted(set(known), key=lambda level: (-int((known == level).sum()), level))
        blank = (values == "").to_numpy()
        return pd.DataFrame(
            {
                f"{name}={level}": np.where(blank, np.nan, (values == level).to_numpy(dtype=float))
                for level in levels[1:]
            },
            index=values.index,
        )
    numbers = values.astype(float)
    if name == DOSE:
        # Doses differ by factors: they act on the logarithm of exposure by their own.
        numbers = numbers.where(numbers > 0).transform(np.log)
    if numbers[compared].nunique() < 2:
        return pd.DataFrame(index=values.index)
    return numbers.to_frame(name)
