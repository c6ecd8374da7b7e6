"""A PostgreSQL server that nobody has to install: started by the first command that needs it, gone with the last.

    with EmbeddedServer(project / ".mgw" / "postgres").lease() as url:
        connection = psycopg.connect(url)

How it hangs together: `server` is what callers see. It looks for `binaries`, makes a data directory from a `template`
(both kept in the `cache`), heals what a crash left (`leftover`), writes the `configuration`, decides whose processes
these are (`account`), and reaches, under a `lock`, the process that owns the server: the `keeper`, by way of `contact`.

There is no password and no TCP port. The socket lies in the data directory, which only its owner may enter, and the
server asks the kernel who is connecting. Nothing here needs a database driver, and nothing is started by importing it.
"""

from mgw.core.database.embedded.server import EmbeddedServer, ServerStatus

__all__ = ["EmbeddedServer", "ServerStatus"]
