"""The same question of every float32 evaluation, in any order of summation.

Trusts IEEE doubles and what the result lists as assumed; must not import what lies above `decide`.
"""
