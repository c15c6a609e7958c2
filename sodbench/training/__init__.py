"""Training: the recipe, the loop, checkpoints, several processes, log and validation."""
