"""Suites: a paper's table as one file - methods, data sets, seeds - of which each cell is computed once.

`suite` the file and `checks` of its names, `cells` one method on one data set and its key, `trainings` the
networks that are trained first, `plan` and `planner` what is done and what is not, `speeds` how long the rest
takes, `running` all of it, `report` the table.
"""
