"""Checks certificates: one stand-alone file of standard-library Python.

Trusts nothing in a certificate; must not import anything else of supercheck.
"""
