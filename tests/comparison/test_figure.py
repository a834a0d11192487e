"""The curves as a picture."""

from pathlib import Path

from support.run_folders import write_run

from lab.comparison import figure, sides, verdict


def test_both_sides_are_drawn_with_their_names(tmp_path: Path) -> None:
    write_run(tmp_path / "a", [3.0, 2.0])
    write_run(tmp_path / "b", [3.0, 1.0], options={"optimizer": {"lr": "$x$"}})
    made = sides.make_sides(sides.find(["a", "b"], tmp_path))
    figure.save(made, verdict.contrasts(made), tmp_path / "curves.svg")
    told = (tmp_path / "curves.svg").read_text()
    assert "<!-- B (optimizer.lr=$x$) -->" in told
    assert "<!-- processor seconds -->" in told
    figure.save(made, verdict.contrasts(made), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
