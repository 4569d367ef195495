"""floors."""
