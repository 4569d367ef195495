"""Other processes and machines in an engine's place: batches, child processes, Dask, batches that are kept.

Trusts the machines that it is told to use; witnesses are replayed by whoever asked. Dask is imported in one file only.
"""
