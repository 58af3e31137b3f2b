"""What the command line and the HTTP API share in asking for reports."""
