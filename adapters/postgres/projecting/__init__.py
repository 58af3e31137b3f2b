"""Folds the log into read tables: live, rebuilt from nothing, or as of a past moment."""
