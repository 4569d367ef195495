"""What a gate found out, as types, and its reports: text, JSON, JUnit, SARIF, GitHub."""
