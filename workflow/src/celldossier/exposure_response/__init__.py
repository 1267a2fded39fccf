"""Exposure-response: ADER, the plan of models, binary and ordinal outcomes, covariates."""
