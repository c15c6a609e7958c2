"""Getting a data set: downloading, unpacking and arranging it in the data root."""
