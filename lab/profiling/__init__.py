"""Where the time of a training step goes: by part of the model, beside the time of its matrix products alone.

May import: what stands above it in the README's table, down to `lab.training`.
"""
