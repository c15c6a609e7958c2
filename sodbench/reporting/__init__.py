"""Reports: tables, figures and the page, made from recorded runs alone."""
