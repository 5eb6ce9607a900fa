"""What `driftline.yaml` says: the same model, with the same checks, for a file and for arguments."""
