"""Models in use, in a process of their own: generation and inspection.

May import: the ground of the dashboard.
"""
