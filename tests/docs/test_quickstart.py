"""The quickstart of the service in README.md does what it says, as printed."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"


def commands() -> str:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Serve it\n")[1].split("\n## ")[0]
    return "".join(f"{line[4:]}\n" for line in section.splitlines() if line.startswith("    "))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def script(port: int) -> str:
    """What is substituted: the port, where the program is, and what a person would type when asked for a password."""
    program = str(Path(sys.executable).with_name("imgguard"))
    text = commands().replace("127.0.0.1:8787", f"127.0.0.1:{port}").replace(".venv/bin/imgguard", program)
    assert text.count("--email ann@example.org     #") == text.count(f"{program} serve &") == 1
    text = text.replace("--email ann@example.org     #", f"--email ann@example.org --password-stdin <<< '{PASSWORD}' #")
    text = text.replace(f"{program} serve &", f"{program} serve --port {port} &\ntrap 'kill %1; wait %1' EXIT\n#")
    return f"set -eu\n{text}"


def test_the_quickstart_works_as_printed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sample_images", tmp_path / "sample_images")
    environment = {**os.environ, "IMGGUARD_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        ["bash", "-c", script(free_port())],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"status":"registered"') == 3, done.stdout + done.stderr
    check = (tmp_path / "check.json").read_text()
    assert re.search('"verdict":"copy"', check), check
    assert '"file":"denim-jacket.jpg"' in check
    assert (tmp_path / "aligned.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
