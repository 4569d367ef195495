"""The reports of `prune`: text and JSON."""
