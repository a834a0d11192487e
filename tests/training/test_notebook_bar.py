"""A notebook is run from end to end: the bar in it, and what its cells print."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from support.commands import ROOT

NOTEBOOK = ROOT / "tests" / "commands" / "first_idea.ipynb"


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of jupyter_client's, about its own folders
def test_a_notebook_runs_and_shows_a_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    trained, table, mistake, compared = (cell for cell in notebook.cells if cell.cell_type == "code")
    assert printed(trained) == "finished 6\n"
    (bar,) = [output for output in trained.outputs if output.output_type == "display_data"]
    assert '<progress value="6" max="6"></progress> step 6/6' in bar.data["text/html"]
    assert not [output for output in trained.outputs if getattr(output, "name", "") == "stderr"]
    assert printed(table) == "[7] 6.0\nGPTModel outputs\n"
    assert printed(mistake).startswith("there is no option model.nlayers")
    assert printed(compared).startswith("B (optimizer.lr=0.01) is better than A at equal tokens (384): ")
