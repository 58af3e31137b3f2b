"""How fast, measured against the stock library on the same server in the same run. Never a test."""
