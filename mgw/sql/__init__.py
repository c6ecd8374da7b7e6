"""SQL that is proved before it runs: queries are described against the database, and the descriptions are checked.

    source  ->  describe (+ nullability, plan)  ->  prepared  ->  accessors
                                                        ^
                                                      check

`source` reads `queries/**/*.sql`, `describe` asks PostgreSQL what each one takes and returns without running it,
`prepared` keeps one description per query in the repository, `accessors` writes a typed Python module from them, and
`check` proves, with or without a database, that all of it still fits together.

Importing this package loads nothing: an offline check has no time for a database driver.
"""
