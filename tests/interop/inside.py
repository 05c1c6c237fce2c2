"""`python -m tests.interop.inside KEY`: one case, its rows as JSON. Started in a namespace by `runner`."""

import asyncio
import json
import sys

from tests.interop import lab
from tests.interop.cases import CASES


def main() -> None:
    print(json.dumps(asyncio.run(lab.run(CASES[sys.argv[1]]))))


if __name__ == "__main__":
    main()
