"""A laboratory for learning how GPTs are trained.

Start with ``model.py``, the model itself, and ``training/run.py``, the story of a run.
"""

__version__ = "0.1.0"
