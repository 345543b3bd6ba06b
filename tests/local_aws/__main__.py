"""python -m local_aws: starts the emulated AWS, prints one JSON line when it is ready, serves until stdin closes or SIGTERM."""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from .server import Server
from .settings import Settings


def main() -> None:
    settings = parse(sys.argv[1:])
    # From now on stdout belongs to the ready line alone, whatever a library prints.
    stdout, sys.stdout = sys.stdout, sys.stderr
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = Server(settings)
    try:
        print(json.dumps(server.ready), file=stdout, flush=True)
        while sys.stdin.buffer.read(4096):
            pass
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()
        sys.stderr.flush()
        # Not by way of the interpreter's end, which waits a second or more for threads that have nothing left to do.
        os._exit(0)


def parse(arguments: list[str]) -> Settings:
    parser = argparse.ArgumentParser(prog="local_aws", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--speed", type=float, default=1, help="waits and retry delays are divided by it")
    parser.add_argument("--root", type=Path, default=Path("."), help="the checkout to deploy from")
    parser.add_argument("--bin-dir", type=Path, default=Path("target/debug"), help="where the functions' binaries are")
    parser.add_argument("--definitions", type=Path, help="the rendered definitions; without, no machines are deployed from a checkout")
    parser.add_argument("--home", type=Path, help="logs and unpacked code; default: a temporary folder")
    parser.add_argument("--no-sweep", action="store_true", help="do not fire rate() rules")
    parser.add_argument("--no-status-events", action="store_true", help="do not deliver execution status changes")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--template", type=Path, help="deploy this synthesized CDK app (cdk.out) through CloudFormation")
    what.add_argument("--bare", action="store_true", help="deploy nothing: the control API will")
    parser.add_argument("--iam", action="store_true", help="enforce permissions by action, each function in its own role")
    parser.add_argument("--stakeholders", help="the stack's groups, as JSON: each hears of every run")
    parser.add_argument("--answers", action="store_true", help="messages have links to pages that answer")
    given = parser.parse_args(arguments)
    if given.speed <= 0:
        parser.error("--speed must be above 0")
    return Settings(
        root=given.root,
        bin_dir=given.bin_dir,
        definitions=given.definitions,
        home=given.home or Path(tempfile.mkdtemp(prefix="local-aws-")),
        port=given.port,
        speed=given.speed,
        sweep=not given.no_sweep,
        status_events=not given.no_status_events,
        template=given.template,
        bare=given.bare,
        iam=given.iam,
        stakeholders=given.stakeholders,
        answers=given.answers,
    )


if __name__ == "__main__":
    main()
