"""The lab as a page: the folder that `make page` builds, served as any web server would."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "page" / "dist"
UNDER = "/some/where"
MISSING = "the page is not built from these sources: make page (needs Node, and npm's packages)"


def sources() -> ModuleType:
    """The module that tells what the page is made from."""
    path = ROOT / "page" / "fingerprint.py"
    spec = importlib.util.spec_from_file_location("page_fingerprint", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_built() -> bool:
    """Whether the page is there, and was built from what is here now."""
    made = sources()
    told = BUILT / made.NAME
    return told.exists() and told.read_text() == made.fingerprint()


class Handler(SimpleHTTPRequestHandler):
    """A web server that has the page under a path, and says nothing."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix(UNDER))

    def log_message(self, format: str, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{UNDER}/"
        server.shutdown()
