"""Files on the ground: written whole, read with suspicion, named as people type names.

May import: `lab.errors`.
"""
