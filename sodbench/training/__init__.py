"""Training: the recipe, the loop, checkpoints, several processes, and what can be seen of it."""
