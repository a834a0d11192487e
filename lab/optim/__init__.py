"""What the optimizer is told: parameter groups, and learning rates over a run.

May import: `lab.config`, `lab.files`. No Lightning, no Hydra.
"""
