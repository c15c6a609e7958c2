"""The compiled inner loops: each takes and returns plain arrays and numbers and knows no protocol."""
