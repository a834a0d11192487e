"""Options that come from a form: described, checked, turned into words of a command line.

May import: the ground of the dashboard.
"""
