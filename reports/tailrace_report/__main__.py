# SPDX-License-Identifier: MIT
"""Commands that read result sets: `python3 -m tailrace_report COMMAND …`, as `tailrace` calls it.

Each is a module command_NAME.py with NEEDS (libraries beyond Python's own), `describe(parser)`
(text and arguments) and `run(arguments)`, which does it and returns the exit status: 0 done, 1 a
finding, 2 bad input or output (ReportError, one sentence), 3 a library missing, 130 interrupted.
"""

import argparse
import importlib
import logging
import os
import sys

from .resultset import Lacking, ReportError

COMMANDS = ("report", "compare", "gate", "compare-heaps", "export", "history")
PACKAGES = {one: f"python3-{one}" for one in ("matplotlib", "numpy", "jinja2")}


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one sentence."""

    def error(self, message):
        raise ReportError(f"{message} (`{self.prog} --help`)")


def main():
    """Run the command; every failure is one sentence on standard error."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        if name not in COMMANDS:
            raise ReportError(f'there is no command "{name}" among {", ".join(COMMANDS)}')
        command = importlib.import_module(f".command_{name.replace('-', '_')}", __package__)
        parser = Parser(prog=f"tailrace {name}", allow_abbrev=False,
                        formatter_class=argparse.RawDescriptionHelpFormatter)
        command.describe(parser)
        arguments = parser.parse_args(sys.argv[2:])
        need(command.NEEDS)
        status = command.run(arguments)
        sys.stdout.flush()
        return status
    except Lacking as lack:
        return fail(lack, 3)
    except ReportError as error:
        return fail(error, 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more
        return 2
    except OSError as error:
        return fail(f"cannot write {error.filename or 'to standard output'}: {error.strerror}", 2)
    except KeyboardInterrupt:
        return fail("interrupted", 130)


def need(libraries):
    """Lacking, unless all of `libraries` can be loaded; matplotlib draws without a screen."""
    os.environ["MPLBACKEND"] = "Agg"
    # Without a writable home matplotlib falls back to a temporary folder by itself, but complains.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    for library in libraries:
        try:
            importlib.import_module(library)
        except ImportError:
            raise Lacking(f"{library} is missing: install the Debian packages "
                          + ", ".join(PACKAGES[one] for one in libraries)) from None


def fail(sentence, status):
    """Say `sentence` on standard error and hand back `status`."""
    print(f"tailrace: {sentence}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
