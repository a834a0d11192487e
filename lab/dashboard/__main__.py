"""Serves the dashboard: ``python -m lab.dashboard``."""

from lab.dashboard import module_path


def main() -> None:
    """The command line."""
    from lab.dashboard import serve

    serve.main()


if __name__ == "__main__":
    module_path.leave_out_here()  # before anything is imported that could lie here, too
    main()
