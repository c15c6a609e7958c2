"""What the package depends on and how it is delivered: pins, lower bounds, advisories, the wheel."""
