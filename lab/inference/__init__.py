"""From a model and a text to more text: the generation loop, the choice of a token, the KV cache, text as it grows.

May import: `lab.model`, `lab.tokenizers`. No Hydra, no Lightning.
"""
