"""How each marker is analysed: the settings over the registry over the general defaults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from celldossier.settings.marker_parameters import (
    Direction,
    Handling,
    Kind,
    MarkerParameterSettings,
    MarkerRule,
    RecoveryCriterion,
)
from celldossier.terms.markers import find_marker

SCORES = ("ordinal", "score")
"""Kinds that are described by their changes, not by ratios."""


@dataclass(frozen=True)
class ResolvedRule:
    """What holds for one marker; see the settings of the same names."""

    marker: str
    marker_class: str
    kind: Kind
    direction: Direction
    window: float
    rise_factor: float
    recovery: RecoveryCriterion
    beyond: float | None
    after: tuple[str, ...]
    after_medication: Handling
    flagged: Handling
    mcid: float | None
    platelets: bool

    @property
    def has_apart(self) -> bool:
        """Whether samples of this marker may be shown apart."""
        return self.flagged == "apart" or (bool(self.after) and self.after_medication == "apart")


def resolve_rule(code: str, settings: MarkerParameterSettings) -> ResolvedRule:
    """What holds for the marker of that code."""
    known = find_marker(code)
    given = {rule.marker: rule for rule in settings.rules}
    own = given.get(code, MarkerRule(marker=code))
    recovery = own.recovery or RecoveryCriterion(
        criterion=known.recovery,
        factor=settings.recovery_factor,
        consecutive=settings.recovery_consecutive,
        timing=settings.recovery_timing,
    )
    return ResolvedRule(
        marker=code,
        marker_class=own.marker_class or known.marker_class or "",
        kind=own.kind or known.kind,
        direction=own.direction or known.direction,
        window=own.window or known.window or settings.window,
        rise_factor=own.rise_factor or settings.rise_factor,
        recovery=recovery,
        beyond=own.beyond,
        after=known.after if own.after is None else own.after,
        after_medication=own.after_medication,
        flagged=own.flagged or known.flagged,
        mcid=own.mcid or known.mcid,
        platelets=known.platelets,
    )


def resolve_rules(
    codes: Iterable[str], settings: MarkerParameterSettings
) -> dict[str, ResolvedRule]:
    """By code, in the order of the codes; only those that the settings ask for."""
    asked = settings.markers or None
    return {
        code: resolve_rule(code, settings)
        for code in sorted(set(codes))
        if asked is None or code in asked
    }
