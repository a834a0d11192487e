"""Models from elsewhere and for elsewhere: Hugging Face folders and the hub, weights files, model cards.

May import: `lab.runs` and the rooms above it.
"""
