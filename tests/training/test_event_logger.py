"""What TensorBoard is told stands in the run's own log."""

from pathlib import Path

from lab.runs import events
from lab.training.event_logger import EventLogger


def test_a_users_own_time_is_not_that_of_the_event(tmp_path: Path) -> None:
    log = events.EventLog(tmp_path)
    logger = EventLogger(log)
    logger.log_metrics({"train_loss": 1.5, "time": 3.0, "seq": 9.0, "kind": 1.0, "step": 2.0}, 7)
    logger.log_metrics({"val_loss": 2.5})
    logger.log_hyperparams({"seed": 1})
    log.close()
    first, second = events.read(tmp_path)
    assert (first["seq"], first["kind"], first["step"], first["train_loss"]) == (0, "metrics", 7, 1.5)
    assert first["time"] > 1e9
    assert {key: first[f"{key}_"] for key in events.OWN} == {"seq": 9.0, "time": 3.0, "kind": 1.0, "step": 2.0}
    assert (second["seq"], second["step"]) == (1, 0)
    assert logger.name == "events"
