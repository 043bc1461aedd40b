"""Pipelines: commands of ours as steps of a TOML file, done again only where they have to be."""
