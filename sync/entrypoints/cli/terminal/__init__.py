"""How the command line speaks: to people, to programs, into files."""
