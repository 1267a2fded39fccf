"""Analysis results: collecting them in a stage, reading them back in the report."""

from celldossier.results.analysis_results import (
    AnalysisResults,
    ResultCollector,
    Value,
    explain_missing,
    make_value_id,
)
from celldossier.results.blocks import (
    BLOCK_METHOD,
    BLOCK_UNITS,
    GEOMETRIC,
    LISTED_BELOW,
    SHARE_UNITS,
    add_block,
    describe_share,
    list_few,
)

__all__ = [
    "BLOCK_METHOD",
    "BLOCK_UNITS",
    "GEOMETRIC",
    "LISTED_BELOW",
    "SHARE_UNITS",
    "AnalysisResults",
    "ResultCollector",
    "Value",
    "add_block",
    "describe_share",
    "explain_missing",
    "list_few",
    "make_value_id",
]
