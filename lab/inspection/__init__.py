"""What goes on inside a model while it reads, as numbers and as figures.

May import: `lab.model`, `lab.files`. No Hydra, no Lightning.
"""
