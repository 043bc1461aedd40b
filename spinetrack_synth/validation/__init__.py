"""The release gate: rules by family, findings, reporters. Nothing here changes a dataset."""
