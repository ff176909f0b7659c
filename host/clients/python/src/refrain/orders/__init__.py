"""What a workflow lets a scheduler order."""
