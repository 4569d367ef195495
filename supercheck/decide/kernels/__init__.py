"""The compiled loops of the relaxation, in C, and the Python that hands them arrays."""
