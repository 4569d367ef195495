"""The reports of `verify`: text, JSON, and a table of all formats."""
