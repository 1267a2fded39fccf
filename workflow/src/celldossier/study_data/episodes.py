"""Episodes: records of one event that overlap, touch or lie within the gap are one."""

from __future__ import annotations

import numpy as np
import pandas as pd


def number_episodes(spans: pd.DataFrame, gap: int) -> pd.Series:
    """Number of the episode that each span of days belongs to, from 1 in each group.

    Two spans are of one episode where at most `gap` whole days lie between the end of
    one and the start of the other; days that follow each other have none between.

    Parameters
    ----------
    spans
        ``USUBJID``, ``AESI``, ``first`` and ``last`` (whole days from the first infusion). No
        ``last`` means that it goes on; a span without ``first`` is an episode of its own,
        counted after the others.
    gap
        Days.
    """
    order = spans.assign(open=spans["last"].fillna(np.inf))
    keys = ["USUBJID", "AESI"]
    order = order.sort_values([*keys, "first", "open"], kind="stable", na_position="last")
    groups = [order[name] for name in keys]
    reached = order["open"].groupby(groups).cummax().groupby(groups).shift()
    apart = ~(order["first"] <= reached + gap + 1)
    number = apart.groupby(groups).cumsum().astype(int)
    return number.reindex(spans.index)


def count_days(first: pd.Series, last: pd.Series) -> pd.Series:
    """Duration in days, both the first and the last day included."""
    return last - first + 1
