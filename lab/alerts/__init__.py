"""What in a run's figures somebody would want to be called for: a file for each kind of trouble, and one that asks
them all. Pure functions of what stands in the log of a run: a run that goes on, or one of last year, is judged alike.

May import: `lab.runs`.
"""
