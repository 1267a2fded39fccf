"""R4 to R7, R11 to R15, R22: areas under the curve."""

from __future__ import annotations

from math import exp, inf, isnan, log

import numpy as np
import pytest

from celldossier.cellular_kinetics.areas import step_areas


def log_area(t1, c1, t2, c2):
    return (c1 - c2) * (t2 - t1) / log(c1 / c2)


def one_step(c1, c2, rule):
    return float(step_areas(*(np.array([v]) for v in (0.0, c1, 10.0, c2)), rule)[0])


def test_a_falling_step_is_logarithmic_and_a_rising_one_linear():
    assert one_step(400.0, 100.0, "linear_up_log_down") == pytest.approx(log_area(0, 400, 10, 100))
    assert one_step(100.0, 400.0, "linear_up_log_down") == 2500.0


def test_a_step_to_zero_is_linear():
    assert one_step(400.0, 0.0, "linear_up_log_down") == 2000.0
    assert one_step(400.0, 0.0, "log") == 2000.0
    assert one_step(0.0, 400.0, "log") == 2000.0


def test_the_rule_log_takes_both_limbs_logarithmically():
    assert one_step(100.0, 400.0, "log") == pytest.approx(log_area(0, 400, 10, 100))


def test_the_rule_linear_takes_every_step_linearly():
    assert one_step(400.0, 100.0, "linear") == 2500.0


def test_a_logarithmic_step_between_nearly_equal_ends_keeps_its_precision():
    assert one_step(400.0, 400.0 * (1 - 1e-13), "log") == pytest.approx(4000.0, rel=1e-12)


def test_an_exponential_profile_gives_its_closed_form(nca):
    rate = 0.2
    times = [0, 1, 3, 7, 14, 28]
    answer = nca([(t, 1000 * exp(-rate * t)) for t in times], columns={"lloq": 0.1})
    assert answer["AUC28"].value == pytest.approx(1000 / rate * (1 - exp(-rate * 28)), rel=1e-12)
    assert answer["AUCIFO"].value == pytest.approx(1000 / rate, rel=1e-12)
    assert answer["AUCPEO"].value == pytest.approx(100 * exp(-rate * 28), rel=1e-9)
    assert answer["LAMZ"].value == pytest.approx(rate, rel=1e-12)


def test_the_worked_example_of_two_embedded_blq_samples(nca):
    points = [(0, 500.0), (28, 500.0), (60, "BLQ"), (90, "BLQ"), (120, 400.0)]
    start = 28 * 500.0
    areas = {rule: nca(points, blq={"embedded": rule})["AUCLST"].value for rule in ("drop", "zero")}
    assert areas["drop"] - start == pytest.approx(41229, abs=0.5)
    assert areas["zero"] - start == pytest.approx(14000)
    assert nca(points)["AUCLST"].value == areas["zero"]


def test_an_embedded_blq_before_the_peak_counts_as_zero(nca):
    points = [(0, "BLQ"), (1, 100.0), (3, "BLQ"), (7, 1000.0), (14, 200.0)]
    expected = 50 + 100 + 4 * 500 + log_area(7, 1000, 14, 200)
    assert nca(points)["AUCLST"].value == pytest.approx(expected, rel=1e-12)


def test_a_blq_after_a_quantifiable_sample_of_the_first_day_is_embedded_and_no_first_one(nca):
    points = [(0, "BLQ"), (0.5, 100.0), (3, "BLQ"), (7, 1000.0), (14, 200.0)]
    expected = 0.5 * 50 + 6.5 * 550 + log_area(7, 1000, 14, 200)
    dropped = nca(points, blq={"embedded": "drop"})
    assert dropped["AUCLST"].value == pytest.approx(expected, rel=1e-12)


def test_a_blq_before_the_first_quantifiable_sample_after_the_dose_is_zero(nca):
    # Also where there was something before the dose (R5): it is no sample of this dose.
    points = [(0, 60.0), (3, "BLQ"), (7, 1000.0), (14, 200.0)]
    expected = 3 * 30 + 4 * 500 + log_area(7, 1000, 14, 200)
    dropped = nca(points, blq={"embedded": "drop"})
    assert dropped["AUCLST"].value == pytest.approx(expected, rel=1e-12)


def test_a_single_embedded_blq_after_the_peak_is_dropped(nca):
    points = [(0, "BLQ"), (7, 1000.0), (14, "BLQ"), (21, 200.0)]
    expected = 3500 + log_area(7, 1000, 21, 200)
    assert nca(points)["AUCLST"].value == pytest.approx(expected, rel=1e-12)


def test_a_missing_result_between_two_blq_does_not_part_them(nca):
    points = [(0, "BLQ"), (7, 1000.0), (14, "BLQ"), (18, None), (21, "BLQ"), (28, 200.0)]
    expected = 3500 + 3500 + 7 * 100
    assert nca(points)["AUCLST"].value == pytest.approx(expected, rel=1e-12)


def test_half_of_the_limit_of_the_record_is_put_in_where_asked(nca):
    points = [(0, "BLQ"), (7, 1000.0), (14, "BLQ"), (21, 200.0)]
    answer = nca(points, columns={"lloq": [50, 50, 80, 50]}, blq={"embedded": "half_lloq"})
    expected = 3500 + log_area(7, 1000, 14, 40) + 7 * 120
    assert answer["AUCLST"].value == pytest.approx(expected, rel=1e-12)


def test_half_of_an_unknown_limit_is_an_error(run):
    from celldossier.errors import InputDataError

    points = [(0, "BLQ"), (7, 1000.0), (14, "BLQ"), (21, 200.0)]
    with pytest.raises(InputDataError, match="Data row 3"):
        run(points, columns={"lloq": np.nan}, blq={"embedded": "half_lloq"})


def test_one_quantifiable_sample_gives_the_triangle_before_it(nca):
    assert nca([(0, "BLQ"), (10, 619.4), (14, "BLQ")])["AUCLST"].value == 3097.0


def test_a_partial_area_is_interpolated_by_the_rule_of_its_step(nca):
    points = [(0, "BLQ"), (20, 1000.0), (36, 250.0)]
    # C(28) of the logarithmic step is 500, half way between 1000 and 250.
    expected = 10000 + log_area(20, 1000, 28, 500)
    assert nca(points)["AUC28"].value == pytest.approx(expected, rel=1e-12)
    linear = 10000 + 8 * (1000 + 625) / 2
    assert nca(points, auc_rule="linear")["AUC28"].value == pytest.approx(linear, rel=1e-12)


def test_a_partial_area_on_a_rising_step_is_interpolated_linearly(nca):
    answer = nca([(0, "BLQ"), (56, 1000.0)], partial_areas=[[0, 28]])
    assert answer["AUC28"].value == pytest.approx(28 * 500 / 2, rel=1e-12)


def test_a_partial_area_that_ends_at_the_last_sample_is_the_area_to_it(nca):
    answer = nca([(0, "BLQ"), (10, 1000.0), (28, 100.0)])
    assert answer["AUC28"].value == answer["AUCLST"].value
    assert answer["AUC28"].flag == "" and answer["AUC28PE"].value == 0


RISE = [(0, "BLQ"), (10, 1000.0)]


@pytest.mark.parametrize(("blq_time", "closed"), [(31.0, True), (31.01, False)])
def test_tail_a_closes_the_area_up_to_the_end_window(nca, blq_time, closed):
    answer = nca([*RISE, (20, 400.0), (blq_time, "BLQ")])
    to_last = 5000 + log_area(10, 1000, 20, 400)
    if closed:
        part = 8 / 11
        expected = to_last + 400 * 8 * (1 - part / 2)
        assert answer["AUC28"].value == pytest.approx(expected, rel=1e-12)
        assert answer["AUC28PE"].value == 0
    else:
        assert answer["AUC28"].reason == "NOLAMZ"


def test_tail_a_takes_the_whole_triangle_to_a_blq_sample_before_the_end(nca):
    answer = nca([*RISE, (20, 400.0), (24, "BLQ"), (28, "BLQ")])
    to_last = 5000 + log_area(10, 1000, 20, 400)
    assert answer["AUC28"].value == pytest.approx(to_last + 800, rel=1e-12)


def test_tail_a_goes_before_tail_b(nca):
    answer = nca([*RISE, (26, 400.0), (30, "BLQ")])
    to_last = 5000 + log_area(10, 1000, 26, 400)
    assert answer["AUC28"].value == pytest.approx(to_last + 400 * 2 * (1 - 0.25), rel=1e-12)
    assert answer["AUC28"].flag == ""


@pytest.mark.parametrize(("last", "extended"), [(25.0, True), (24.99, False)])
def test_tail_b_extends_within_the_end_window(nca, last, extended):
    answer = nca([*RISE, (last, 400.0)])
    if extended:
        rate = log(1000 / 400) / (last - 10)
        expected = 5000 + log_area(10, 1000, last, 400) + 400 * (1 - exp(-rate * 3)) / rate
        assert answer["AUC28"].value == pytest.approx(expected, rel=1e-12)
        assert answer["AUC28"].flag == "EXTWIN"
        assert answer["AUC28PE"].value > 0
    else:
        assert answer["AUC28"].reason == "NOLAMZ"


def test_tail_b_is_constant_where_the_last_two_points_rise(nca):
    answer = nca([*RISE, (20, 200.0), (26, 400.0)])
    to_last = 5000 + log_area(10, 1000, 20, 200) + 6 * 300
    assert answer["AUC28"].value == pytest.approx(to_last + 800, rel=1e-12)
    assert answer["AUC28"].flag == "EXTWIN"


def test_tail_b_is_constant_after_a_single_quantifiable_point(nca):
    answer = nca([(0, "BLQ"), (26, 400.0)])
    assert answer["AUC28"].value == pytest.approx(26 * 200 + 800, rel=1e-12)


def decline(rate, last):
    times = [time for time in (10, 13, 16, 19, 22, 24.9) if time <= last]
    return [(0, "BLQ"), *[(t, 10000 * exp(-rate * (t - 10))) for t in times]]


def test_tail_c_extrapolates_from_the_observed_last_concentration(nca):
    answer = nca(decline(0.3, 22))
    to_end = 50000 + 10000 / 0.3 * (1 - exp(-0.3 * 18))
    assert answer["AUC28"].value == pytest.approx(to_end, rel=1e-12)
    assert answer["AUC28"].flag == "EXTRAP"
    beyond = 10000 / 0.3 * (exp(-0.3 * 12) - exp(-0.3 * 18))
    assert answer["AUC28PE"].value == pytest.approx(100 * beyond / to_end, rel=1e-9)


def test_tail_c_takes_the_raw_fit_where_the_gates_fail(nca):
    answer = nca(decline(0.05, 22), lambda_z={"min_points": 3, "min_r2adj": 0.8, "min_span": 2})
    assert answer["LAMZ"].reason == "SPANLOW"
    assert answer["AUC28"].flag == "EXTRAP"


def test_tail_c_is_given_up_above_the_largest_extrapolated_share(nca):
    share = nca(decline(0.01, 19), max_extrapolation=100)["AUC28PE"].value
    at_limit = nca(decline(0.01, 19), max_extrapolation=share)
    above = nca(decline(0.01, 19), max_extrapolation=share * (1 - 1e-9))
    assert at_limit["AUC28"].reason == ""
    assert above["AUC28"].reason == "EXTRAPOL"
    assert above["AUC28PE"].value == share and above["AUC28PE"].flag == "EXTRAPOL"


def test_the_other_tails_do_as_they_are_named(nca):
    points = [*decline(0.3, 22), (60, "BLQ")]
    last, all_, out = (
        nca(points, tail=tail)["AUC28"].value for tail in ("last", "all", "extrapolate")
    )
    to_last = 50000 + 10000 / 0.3 * (1 - exp(-0.3 * 12))
    c_last = 10000 * exp(-0.3 * 12)
    assert last == pytest.approx(to_last, rel=1e-12)
    assert all_ == pytest.approx(to_last + c_last * 6 * (1 - 6 / 38 / 2), rel=1e-12)
    assert out == pytest.approx(to_last + c_last / 0.3 * (1 - exp(-0.3 * 6)), rel=1e-12)


@pytest.mark.parametrize(
    ("points", "column"),
    [
        (decline(0.3, 22), 27.9),
        ([*RISE, (26, 400.0)], 27.0),
        ([*RISE, (20, 400.0), (26, "BLQ")], 24.0),
    ],
)
def test_nothing_is_extrapolated_past_death_or_new_therapy(nca, points, column):
    assert nca(points, columns={"CENSTIME": column})["AUC28"].reason == "CENSORED"
    assert nca(points, columns={"CENSTIME": 28.0})["AUC28"].reason == ""


def test_an_area_that_the_samples_cover_is_not_censored(nca):
    interpolated = nca([*RISE, (30, 400.0)], columns={"CENSTIME": 20.0})
    assert interpolated["AUC28"].reason == ""
    closed = nca([*RISE, (15, 400.0), (20, "BLQ")], columns={"CENSTIME": 24.0})
    assert closed["AUC28"].reason == ""


def test_the_area_to_infinity_needs_the_reported_rate(nca):
    points = decline(0.05, 22)
    gated = nca(points, lambda_z={"min_points": 3, "min_r2adj": 0.8, "min_span": 2})
    assert gated["AUCIFO"].reason == gated["AUCPEO"].reason == "SPANLOW"
    free = nca(points)
    assert free["AUCIFO"].value == pytest.approx(50000 + 10000 / 0.05, rel=1e-12)


def test_the_stein_curve_gives_its_area_within_the_error_of_sampling(nca):
    # science.md B1, typical subject: Cmax 24000 at 9.3 d, closed form 171,774 copies d/ug.
    rho, alpha, beta, fb = log(3900) / 9.3, 0.16, 0.0032, 0.0079

    def conc(t):
        if t <= 9.3:
            return 24000 / 3900 * exp(rho * t)
        d = t - 9.3
        return 24000 * ((1 - fb) * exp(-alpha * d) + fb * exp(-beta * d))

    assert conc(0) == pytest.approx(6.1538, abs=5e-5)
    assert conc(28) == pytest.approx(1373.56, abs=5e-3)
    grid = [*np.linspace(0, 9.3, 40001), *np.linspace(9.3, 28, 2001)[1:]]
    answer = nca([(t, conc(t)) for t in grid], columns={"lloq": 1.0})
    assert answer["AUC28"].value == pytest.approx(171774, rel=5e-6)
    assert answer["EXPRATE"].value == pytest.approx(0.88911, abs=5e-6)
    assert answer["DOUBT"].value == pytest.approx(log(2) / rho, rel=1e-9)


def test_areas_outside_the_range_of_doubles_are_empty_with_a_reason(nca):
    answer = nca([(0, 1e308), (10, 1.5e308), (1e5, 1e308)], columns={"lloq": 1.0})
    assert answer["AUCLST"].reason == "OVERFLOW"
    assert all((a.reason != "") == np.isnan(a.value) and a.value != inf for a in answer.values())


def test_a_subject_never_quantifiable_who_died_before_the_end_has_no_area(nca):
    points = [(0, "BLQ"), (1, "BLQ"), (3, "BLQ")]
    died = nca(points, columns={"CENSTIME": 5.0})["AUC28"]
    assert (died.reason, died.flag) == ("CENSORED", "")
    assert isnan(died.value)
    lived = nca(points, columns={"CENSTIME": 28.0})["AUC28"]
    assert (lived.value, lived.flag, lived.reason) == (0.0, "BLQALL", "")
