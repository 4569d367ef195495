"""What breaks a network, why, how often, and how near to breaking the rest is.

Trusts `claims` and the engines that it asks; a sweep that contradicts the verdict is a fault. Must not import reports.
"""
