"""Adding a user's own data set: detecting its layout, writing its card."""
