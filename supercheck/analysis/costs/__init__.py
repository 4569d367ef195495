"""What a network costs, block by block, its wiring, and the floors beside it.

Trusts `claims` and its own arithmetic; must not import engines or reports.
"""
