"""Parameters of one course of a marker, one sample at a time: a second method, in plain loops.

It shares no code with the stage. A sample is a dictionary: day, value (None where below the
limit), lloq, uloq (a value above it is "above"), normal, base (the record of ADPD), apart.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

Sample = dict[str, Any]


def used_value(sample: Sample, share: float) -> float:
    if sample["value"] is None:
        return share * sample["lloq"]
    return sample["value"]


def limit_value(sample: Sample) -> float:
    if sample["value"] is None:
        return sample["lloq"]
    return sample["uloq"] if sample["above"] else sample["value"]


def trapezoids(points: list[tuple[float, float]], end: float, part: str) -> float:
    """Integral of the positive or negative part of a broken line by its own small pieces."""
    cut = [(t, v) for t, v in points if t <= end]
    later = [(t, v) for t, v in points if t > end]
    if later:
        (t0, v0), (t1, v1) = cut[-1], later[0]
        cut.append((end, v0 + (v1 - v0) * (end - t0) / (t1 - t0)))
    else:
        cut.append((end, cut[-1][1]))
    total = 0.0
    for (t0, v0), (t1, v1) in pairwise(cut):
        pieces = [(t0, v0), (t1, v1)]
        if v0 * v1 < 0:
            pieces.insert(1, (t0 + (t1 - t0) * v0 / (v0 - v1), 0.0))
        for (a, p), (b, q) in pairwise(pieces):
            area = (b - a) * (p + q) / 2
            if part == "all" or (part == "over") == (area > 0):
                total += area
    return abs(total) if part != "all" else total


def calculate(samples: list[Sample], direction: str, **rule: Any) -> dict[str, float | str]:
    """Parameters by code; a text is the reason of one that cannot be computed."""
    share, window, end = rule["share"], rule["window"], rule["course_end"]
    samples = sorted(
        (s for s in samples if s["day"] <= end and not s["apart"]),
        key=lambda s: (s["day"], used_value(s, share)),
    )
    before = [s for s in samples if s["day"] <= 0]
    base = before[-1] if before and rule["has_base"] else None
    post = [s for s in samples if s["day"] > 0]
    inside = [s for s in post if s["day"] <= window]
    out: dict[str, float | str] = {}
    out["PDBASE"] = used_value(base, share) if base else "NOPDBASE"
    why = "NOPDPOST" if not inside else "" if base else "NOPDBASE"
    for code, sign in (("PDPEAK", 1), ("PDNADIR", -1)):
        best = None
        for s in inside:
            if best is None or sign * used_value(s, share) > sign * used_value(best, share):
                best = s
        time, ratio = ("PDTPEAK", "PDFOLD") if sign > 0 else ("PDTNAD", "PDNADPCT")
        change = "PDCHG" if sign > 0 else "PDNADCHG"
        if best is None or base is None:
            out[code] = used_value(best, share) if best else "NOPDPOST"
            out[time] = best["day"] if best else "NOPDPOST"
            out[ratio] = out[change] = why
            continue
        out[code], out[time] = used_value(best, share), best["day"]
        out[change] = used_value(best, share) - used_value(base, share)
        at_least = base["value"] is None or best["above"]
        at_most = base["above"] or best["value"] is None
        if best["above"] and base["above"]:
            out[change] = "PDBOUND"
        if at_least and at_most:
            out[ratio] = "PDBOUND"
        else:
            fold = limit_value(best) / limit_value(base)
            out[ratio] = fold if sign > 0 else 100 * (fold - 1)
    out |= _areas(base, post, rule)
    out["PDTRISE"] = why or _first(base, inside, direction, rule)
    out["PDTREC"] = _recovery(base, post, inside, direction, rule)
    return out


def _areas(base: Sample | None, post: list[Sample], rule: dict[str, Any]) -> dict[str, Any]:
    to, share = rule["area"], rule["share"]
    codes = {"PDAUC": "all", "PDAO": "over", "PDAU": "under"}
    names = {f"{code}{to:g}": part for code, part in codes.items()}
    if not post:
        return dict.fromkeys(names, "NOPDPOST")
    if base is None:
        return dict.fromkeys(names, "NOPDBASE")
    if post[-1]["day"] < to - rule["tolerance"]:
        short = "CENSORED" if rule["course_end"] < to else "UNCOVERD"
        return dict.fromkeys(names, short)
    # A sample shapes the area where the one before it lies before the end.
    starts = [0.0, *(s["day"] for s in post[:-1])]
    if sum(start < to for start in starts) < rule["least"]:
        return dict.fromkeys(names, "FEWPDSAM")
    beyond = any(s["above"] for start, s in zip(starts, post, strict=True) if start < to)
    zero = used_value(base, share)
    line = [(0.0, zero), *((s["day"], used_value(s, share)) for s in post)]
    change = [(t, v - zero) for t, v in line]
    return {
        name: "PDBOUND"
        if part != "all" and beyond and base["above"]
        else trapezoids(line if part == "all" else change, to, part)
        for name, part in names.items()
    }


def _first(
    base: Sample | None, inside: list[Sample], direction: str, rule: dict[str, Any]
) -> float | str:
    assert base is not None
    zero, k = limit_value(base), rule["factor"]
    for s in inside:
        v = limit_value(s)
        if direction in ("rise", "both") and v >= k * zero:
            return s["day"]
        if direction in ("fall", "both") and v <= zero / k:
            return s["day"]
    return "NOTREACH"


def _recovery(
    base: Sample | None,
    post: list[Sample],
    inside: list[Sample],
    direction: str,
    rule: dict[str, Any],
) -> float | str:
    share = rule["share"]
    if not inside:
        return "NOPDPOST"
    if base is None:
        return "NOPDBASE"
    values = [used_value(s, share) for s in post]
    start = used_value(base, share)
    within = [v for s, v in zip(post, values, strict=True) if s in inside]
    if direction == "both":
        direction = "fall" if start / min(within) > max(within) / start else "rise"
    rises = direction == "rise"
    # A rise ends within what the baseline may be at most; a fall begins below what it is taken as.
    zero = limit_value(base) if rises else start
    extreme = max(within) if rises else min(within)
    place = values.index(extreme)
    bound = zero * rule["back"] if rises else zero / rule["back"]
    good = [v <= bound if rises else v >= bound for v in values]
    if good[place]:
        return "PDNEVER"
    for n in range(place + 1, len(post)):
        run = good[n : n + rule["consecutive"]]
        if len(run) == rule["consecutive"] and all(run):
            if not rule["interpolated"]:
                return post[n]["day"]
            t0, t1, v0, v1 = post[n - 1]["day"], post[n]["day"], values[n - 1], values[n]
            return t0 + (bound - v0) / (v1 - v0) * (t1 - t0)
    return post[-1]["day"]


def same(ours: float, reason: str, plain: float | str) -> bool:
    """Whether a row of ADPDP says what the plain calculation says."""
    if isinstance(plain, str):
        return math.isnan(ours) and reason == plain
    return math.isclose(ours, plain, rel_tol=1e-9, abs_tol=1e-9) and reason == ""
