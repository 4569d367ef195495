"""The reports of `explore`: text, JSON, and one page to explore a network with."""
