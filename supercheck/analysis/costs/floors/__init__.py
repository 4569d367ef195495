"""Proved lower bounds: of a class of functions, of one function, of one network.

Floors are rounded down and capacities up; must not import engines or reports.
"""
