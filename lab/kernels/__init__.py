"""Arithmetic that is worth a form of its own: fused where most of a training step's time goes, and equal, but for
rounding, to the plain form in ``lab/model.py``.

May import: torch and numpy only.
"""
