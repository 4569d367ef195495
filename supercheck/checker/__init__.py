"""The independent checker of certificates: standard library only, imports nothing of supercheck, runs alone.

Three files: `reading.py` reads network and claims, `proving.py` checks the proof (the part to believe), and
`__main__.py` is the command line, `python supercheck/checker CERTIFICATE... NETWORK SPEC`.
"""

from .proving import CODES as CODES, Outcome as Outcome, check as check
from .reading import CheckError as CheckError, Claims as Claims, Network as Network, question as question
