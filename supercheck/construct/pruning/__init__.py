"""Neurons, edges and digits taken away from a proved network as long as it stays proved.

Trusts the engines that decide each step; what is written is verified anew. Must not import reports or doors.
"""
