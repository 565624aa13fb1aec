"""A web server on loopback that has pictures and feeds."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PictureServer:
    """``files``: what is at which path; anything else is 404. ``visits`` counts requests by path. ``moved``: where
    else a path leads."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.visits: Counter[str] = Counter()
        self.moved: dict[str, str] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.visits[self.path] += 1
                body, location = owner.files.get(self.path), owner.moved.get(self.path)
                self.send_response(302 if location is not None else 404 if body is None else 200)
                if location is not None:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def put(self, path: str, data: bytes) -> str:
        """The address of ``data``."""
        self.files[path] = data
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self) -> None:
        self._server.serve_forever(0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def picture_server() -> Iterator[PictureServer]:
    server = PictureServer()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
