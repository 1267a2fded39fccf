"""One account of all answers of R: each row is met, is met by another test, or says why not.

The files ``answers*.csv`` hold the answers that the project carries; the master is
``stats_reference.csv`` in the shared folder. Both lists, of what is compared and of what is not,
are asserted: a row that nobody compares fails, and so does a reason that no row needs.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from answers_of_ours import FINDERS, find_answers, read_input

from celldossier.stats.survival import estimate_survival

HERE = Path(__file__).parent

CARRIED = ("answers.csv", "answers_cox.csv", "answers_survival.csv", "answers_methods.csv")
"""Files whose rows are compared here."""

TOLERANCES: dict[tuple[str, str], tuple[float, float]] = {
    # glm stops at a relative change of 1e-8, confint reads its limits off a spline.
    ("glm_logit_birthwt", "se"): (1e-8, 0),
    ("glm_logit_birthwt", "z"): (1e-8, 0),
    ("glm_logit_birthwt", "p"): (1e-7, 0),
    ("glm_logit_birthwt", "wald95_lo"): (1e-8, 1e-8),
    ("glm_logit_birthwt", "wald95_hi"): (1e-8, 1e-8),
    ("glm_logit_birthwt", "profile95_lo"): (0, 2e-4),
    ("glm_logit_birthwt", "profile95_hi"): (0, 2e-4),
    # polr ends with a gradient of about 1e-5 of its own.
    ("polr_housing", "estimate"): (0, 1e-7),
    ("polr_housing", "se"): (0, 1e-8),
    ("polr_housing", "t"): (2e-7, 0),
    ("polr_housing", "profile95_lo"): (0, 1e-5),
    ("polr_housing", "profile95_hi"): (0, 1e-5),
}
"""Relative and absolute distance, where it is not the default."""
OF_ANALYSIS: dict[str, tuple[float, float]] = {
    # glm and logistf stop at a tolerance of their own.
    **dict.fromkeys(
        ("glm_logit_birthwt", "firth_sex2_all", "firth_sex2_all_wald", "firth_sex2_all_FLIC"),
        (1e-8, 1e-12),
    ),
    **dict.fromkeys(("clopper_pearson", "wilson", "fisher_2x2"), (1e-13, 1e-15)),
}
DEFAULT = (1e-10, 1e-13)
ROOTS = {("fisher_2x2", name) for name in ("cond_mle_or", "or_lo", "or_hi")}
"""Odds ratios that R finds, or their reciprocals, as roots to eps^0.25 = 1.22e-4."""

COMPARED = {
    "firth_sex2_all": 58,
    "firth_sex2_all_wald": 14,
    "firth_sex2_all_FLIC": 7,
    "firth_sex2_all_FLAC": 7,
    "firth_sex2_sep": 18,
    "firth_sex2_sep_wald": 4,
    "firth_sex2_sep_FLIC": 2,
    "glm_logit_birthwt": 85,
    "polr_housing": 39,
    "coxph_lung_efron": 26,
    "coxph_lung_breslow": 26,
    "coxph_lung_exact": 24,
    "cox_zph_lung": 12,
    "logrank_lung_rho0": 2,
    "km_lung_log-log": 50,
    "km_lung_log": 46,
    "km_lung_plain": 46,
    "clopper_pearson": 48,
    "wilson": 16,
    "fisher_2x2": 24,
    "deming_jackknife_ratio1": 8,
    "deming_jackknife_ratio0.5": 8,
    "deming_analytical_ratio1": 2,
    "ols_analytical": 2,
    "paba_equivariant_bootQ_seed": 2,
}
"""Rows of each analysis that are compared here."""
COUNTS = (576, 56, 632)
"""Rows that are compared, that are not, and that are carried."""

NOT_COMPARED: dict[tuple[str, str], tuple[int, str]] = {
    ("glm_sex2_dia_separated", "estimate_diverges"): (
        1,
        "no maximum likelihood estimate exists; test_stats_against_r.py holds that",
    ),
    ("firth_sex2_sep_FLAC", ""): (1, "logistf fails; test_stats_against_r.py holds the equations"),
    ("clopper_pearson", "p_two_sided_vs_0.3"): (8, "binomial test, not an estimator of ours"),
    ("fisher_2x2", "p_less"): (6, "one-sided, not reported"),
    ("fisher_2x2", "p_greater"): (6, "one-sided, not reported"),
    **{
        (f"km_lung_{scale}", limit): (2, "limits of a median come from log(-log) only")
        for scale in ("log", "plain")
        for limit in ("0.95LCL", "0.95UCL")
    },
    **{
        (analysis, what): (2, f"{kind}; ours are of the jackknife")
        for analysis, kind in (
            ("deming_analytical_ratio1", "analytical limits"),
            ("ols_analytical", "analytical limits"),
        )
        for what in ("SE", "LCI", "UCI")
    },
    **{
        ("paba_equivariant_bootQ_seed", what): (
            2,
            "limits of the bootstrap; ours invert Kendall's tau",
        )
        for what in ("SE", "LCI", "UCI")
    },
    **{
        ("wdeming_jackknife", what): (2, "weighted Deming regression is not an estimator of ours")
        for what in ("EST", "SE", "LCI", "UCI")
    },
}
"""Rows of the carried files that are not compared: how many, and why."""

NOT_CARRIED: dict[str, tuple[int, str]] = {
    "km_lung_overall": (2, "restricted mean survival time is not an estimator of ours"),
    "fisher_4x4_job": (1, "the exact test of ours is of two by two tables"),
    "anova_log_cmax": (2, "the doses and peaks behind it do not lie with the answers"),
    "kruskal_cmax": (2, "the doses and peaks behind it do not lie with the answers"),
    "spearman": (2, "the doses and peaks behind it do not lie with the answers"),
    "wilcox_150v450": (5, "the peaks behind it do not lie with the answers"),
    "nlme_theoph_SSfol_pdDiag_lKa_lCl": (42, "population kinetics, not part of this stage"),
    "nlme_theoph_SSfol_pdDiag_3re": (19, "population kinetics, not part of this stage"),
    "nls_theoph_subj1": (7, "population kinetics, not part of this stage"),
    **{
        f"boin_target0.{target}": (2, "unit/stats/test_escalation_designs.py holds them")
        for target in (20, 25, 30, 35)
    },
    "boin_select_mtd_.30": (6, "unit/stats/test_escalation_estimates.py holds the selection"),
    **{
        f"saemix_theo_{error}_seed{seed}": (13, "population kinetics, not part of this stage")
        for error in ("constant", "combined")
        for seed in (632545, 1, 2)
    },
}
"""Analyses of the master that no file of the project carries: rows, and why."""


def read_answers(name: str) -> pd.DataFrame:
    return pd.read_csv(HERE / name, keep_default_na=False, dtype=str)


ANSWERS = pd.concat([read_answers(name) for name in CARRIED], ignore_index=True)


def find(row: pd.Series) -> float | None:
    if row["value"] == "":
        return None
    return find_answers(row["analysis"]).get((row["term"], row["statistic"]))


OTHERS = sorted({path.name for path in HERE.glob("answers*.csv")} - set(CARRIED))
"""Files with a test of their own."""


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_file_of_answers_is_read_by_a_test(name: str) -> None:
    own = [path for path in HERE.glob("test_*.py") if path.name != Path(__file__).name]
    assert any(name in path.read_text(encoding="utf-8") for path in own)


@pytest.mark.parametrize("analysis", sorted(set(ANSWERS["analysis"]) & set(FINDERS)))
def test_every_answer_of_r_is_met(analysis: str) -> None:
    for _, row in ANSWERS[ANSWERS["analysis"] == analysis].iterrows():
        found, key = find(row), (analysis, row["statistic"])
        if found is None:
            assert key in NOT_COMPARED, row.to_dict()
            continue
        expected = float(row["value"])
        if key in ROOTS:
            if expected > 1:
                found, expected = 1 / found, 1 / expected
            assert found == pytest.approx(expected, rel=0, abs=1.23e-4), row.to_dict()
            continue
        rel, absolute = TOLERANCES.get(key, OF_ANALYSIS.get(analysis, DEFAULT))
        assert found == pytest.approx(expected, rel=rel, abs=absolute), row.to_dict()


def test_what_is_compared_and_what_is_not_add_up() -> None:
    """Coverage, so that a comparison that compares nothing cannot pass."""
    compared = ANSWERS.apply(lambda row: find(row) is not None, axis=1)
    left = ANSWERS[~compared]
    counts = Counter(zip(left["analysis"], left["statistic"], strict=True))
    assert counts == {key: count for key, (count, _) in NOT_COMPARED.items()}
    assert (int(compared.sum()), len(left), len(ANSWERS)) == COUNTS
    by_analysis = ANSWERS.loc[compared, "analysis"].value_counts().to_dict()
    assert by_analysis == COMPARED


def test_every_row_of_the_shared_reference_is_carried_unchanged_or_has_its_reason(
    shared_folder: Path,
) -> None:
    path = shared_folder / "reference" / "stats" / "stats_reference.csv"
    master = pd.read_csv(path, keep_default_na=False, dtype=str)
    names = ["analysis", "term", "statistic", "value"]
    others = [read_answers(name) for name in OTHERS]
    known = [frame[names] for frame in (ANSWERS, *others) if set(names) <= set(frame.columns)]
    carried = {tuple(row) for frame in known for row in frame.to_numpy()}
    missing = master[[tuple(row) not in carried for row in master[names].to_numpy()]]
    counts = missing["analysis"].value_counts().to_dict()
    assert counts == {analysis: count for analysis, (count, _) in NOT_CARRIED.items()}
    assert (len(master), len(missing)) == (892, sum(count for count, _ in NOT_CARRIED.values()))


def test_the_whole_curves_of_survfit_are_met(shared_folder: Path) -> None:
    table = pd.read_csv(shared_folder / "reference" / "stats" / "km_lung_curve.csv")
    lung = read_input("lung")
    assert len(table) == 206
    for sex, rows in lung.groupby("sex"):
        curve = estimate_survival(rows["time"], rows["status"] == 2)
        expected = table[table["strata"] == f"sex={sex}"]
        for found, column in (
            (curve.time, "time"),
            (curve.at_risk, "n.risk"),
            (curve.events, "n.event"),
            (curve.survival, "surv"),
            (np.sqrt(curve.greenwood), "std.err.cumhaz"),
        ):
            assert found == pytest.approx(expected[column].to_numpy(), rel=1e-12), column
