"""A notebook whose cells share their names, for tests of what is kept of it."""

import linecache
from itertools import count

CELLS = count(1)


class Notebook:
    """Cells that share their names, and whose source is known, as in a kernel."""

    def __init__(self):
        self.names = {"__name__": "__main__"}
        self.run("import raftlab as rl")

    def run(self, source):
        name = f"<cell {next(CELLS)}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), self.names)

    def __getitem__(self, name):
        return self.names[name]
