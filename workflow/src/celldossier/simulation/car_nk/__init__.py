"""Simulator of an allogeneic CAR-NK study with repeat doses and cycles (NKX-201)."""
