"""What a process tells of its work: metrics and traces. Log lines are in adapters/logging.py."""
