"""One small file for each command: `arguments(parser)` and `run(given) -> exit code`."""
