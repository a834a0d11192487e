"""Looks inside a model: ``python -m lab.inspect checkpoint=last prompt="The fox" to=FOLDER``.

What it does stands in ``lab.commands.inspection_report``: this file only gives the command its name.
"""

if __name__ == "inspect":
    # Started from inside lab/, or as `python lab/train.py`, Python searches this folder first, and takes this file for
    # the standard library's module of the same name. It steps aside: out of the search path, and out of the name.
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [place for place in sys.path if os.path.abspath(place) != here]
    del sys.modules["inspect"]
    import inspect  # noqa: F401
else:
    from lab.commands.inspection_report import main

    if __name__ == "__main__":
        main()
