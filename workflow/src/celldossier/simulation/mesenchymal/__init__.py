"""Simulator of a study of local mesenchymal stem cells without a specific marker (MSX-301)."""
