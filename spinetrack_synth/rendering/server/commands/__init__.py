"""The commands of the server: a table of them, and a module for each family."""
