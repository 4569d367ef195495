"""Networks from what they shall compute; each construction states what it claims.

Nothing here says that a network is right: whoever asked has it proved. Must not import reports or doors.
"""
