"""Mapping files as texts: found, read, checked, and told with file and line what is wrong."""
