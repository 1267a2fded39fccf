"""Analysis results: collecting them in a stage, reading them back in the report."""

from celldossier.results.analysis_results import (
    AnalysisResults,
    ResultCollector,
    Value,
    make_value_id,
)

__all__ = ["AnalysisResults", "ResultCollector", "Value", "make_value_id"]
