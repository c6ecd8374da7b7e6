"""The recommendation service: what `mgw recommend` answers, over HTTP.

server        processes, sockets, signals
application   one request: read, validated, answered, or refused in the common shape
endpoints     the table of what can be asked; `openapi` and `pages` describe it
messages      what requests and answers look like
answers       what is answered: the same pipeline as on the command line, and what is left of it without a database
              or without a model
"""
