"""The NCA of pkpdutils on the replicated set, in its own interpreter; called by `compare.py`.

Settings as near to ours as it has them: linear-up/log-down, a partial area to day 28, results
below the limit dropped, infusion given as a bolus or as an oral dose (the quicker of the two
is reported: it back-extrapolates nothing).
"""

from __future__ import annotations

import sys
from functools import partial
from importlib.metadata import version
from typing import Any

from replicated import measure, replicate_profiles, report


def main(profiles: int, repeats: int) -> None:
    """Print the steps of the quickest of the repeats: batch from frame, nca, frame out."""
    import pkpdutils

    options = pkpdutils.NCAOptions(partial_aucs={"auc28": (0, 28)}, lloq=50.0)

    def build(size: int) -> Any:
        frame = replicate_profiles(size)
        frame["VALUE"] = frame["CONC"].where(frame["BLQ"] == 0, 0.0)
        return frame

    def batch(frame: Any) -> Any:
        return pkpdutils.Timecourses.from_dataframe(
            frame,
            sample=["USUBJID"],
            time="TIME",
            value="VALUE",
            time_unit="day",
            unit="1/ug",
            dose_amount="DOSE",
            dose_unit="mg",
            route="ORAL",
        )

    pkpdutils.nca(batch(build(60)), options=options).to_dataframe()
    frame, built = measure(lambda: build(profiles))
    runs: list[dict[str, dict[str, float]]] = []
    for _ in range(repeats):
        timecourses, to_batch = measure(partial(batch, frame))
        result, computed = measure(partial(pkpdutils.nca, timecourses, options=options))
        table, to_frame = measure(result.to_dataframe)
        assert len(table) == profiles
        runs.append({"batch": to_batch, "nca": computed, "frame": to_frame})
    fastest = min(runs, key=lambda run: run["nca"]["cpu"])
    report("pkpdutils", version("pkpdutils"), profiles, {"build": built, **fastest})


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
