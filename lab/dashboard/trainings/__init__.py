"""Trainings as processes of their own: started, queued, told what to do, summarised.

May import: `store`.
"""
