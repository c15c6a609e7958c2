"""`python -m sodbench`, the form torchrun uses: `torchrun -m sodbench train basnet`."""

import sys

from sodbench.cli.main import main

sys.exit(main())
