"""How well a model foresees a text, and how it does on tasks.

May import: `lab.model`, `lab.tokenizers`, `lab.files`. No Hydra, no Lightning.
"""
