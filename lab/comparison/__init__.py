"""What came out of several runs, side by side: at equal cost, over several seeds, and whether chance explains it.

May import: `lab.files`, `lab.config`, `lab.runs`. No Lightning, no torch.
"""
