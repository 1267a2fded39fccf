"""One thread for the linear algebra libraries, set before numpy is imported."""

from __future__ import annotations

import os

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def use_one_thread() -> None:
    """Hold BLAS and OpenMP to one thread.

    Snakemake sets these variables from ``--cores``, and a sum over another
    number of threads rounds differently: results would depend on the machine.
    """
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"
