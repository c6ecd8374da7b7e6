"""A shared HTTP cache (RFC 9111).

`directives` and `freshness` say what may be stored and for how long it is good, `conditions` answers conditional and
range requests from what is stored, `store` keeps it, and `caching` puts them together for the gateway.
"""
