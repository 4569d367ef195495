"""The reports of `audit` and `bounds`: text, JSON, HTML, drawings."""
