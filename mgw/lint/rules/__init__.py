"""The rules, one a file: its docstring is its page, CODE its code, its name that of the file, `check` what it does.

A new file here is a new rule; `tests/lint/cases` has a folder for each, with faults and a twin without.
"""
