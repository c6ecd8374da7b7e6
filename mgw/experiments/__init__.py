"""Experiments: who is in which variant, and what can be said of the difference.

`assignment` puts users into variants. `statistics` compares means, `joint` what is a ratio or was known before, and
`mismatch` whether the variants have the users that they should; `corrections` is for many comparisons, `planning` for
before there are any.
"""
