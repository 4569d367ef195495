"""Where each stage of a verification can be broken."""

from __future__ import annotations

STAGES = {
    "load": "supercheck.claims.question.load",
    "read": "supercheck.claims.question.read_spec",
    "pose": "supercheck.claims.question.pose",
    "plan": "supercheck.decide.enumeration.price",
    "decide": "supercheck.decide.sweep.Block.failures",
    "replay": "supercheck.decide.portfolio.replay",
    "minimise": "supercheck.decide.portfolio._minimal",
    "report": "supercheck.report.verify.text.show",
}
