"""Frozen statements as files: canonical JSON, CSV, a page to read and print, PDF."""
