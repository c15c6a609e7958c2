"""Getting a data set: downloading it, unpacking it, and bringing it into the standard layout."""
