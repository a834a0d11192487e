"""A run is a folder: what lies in it, whose it is, and its checkpoints, opened without trusting them.

May import: `lab.files`, `lab.config`, `lab.optim`, `lab.data`. No Lightning.
"""
