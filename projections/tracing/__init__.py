"""From a figure of a report to what counts in it, and to the events that make it count."""
