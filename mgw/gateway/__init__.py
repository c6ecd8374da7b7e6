"""The API gateway: it routes, checks who asks, limits, and passes requests on; it knows nothing of what stands behind.

`definition` is what its YAML file may say, `files` reads and checks it. `paths`, `routing`, `headers`, `tokens` and
`limits` decide on values; `transport` talks to the upstreams; `application` puts them in order, `server` runs it.
"""
