"""The simulator of the example studies: a typed truth and a seed in, raw data out."""
