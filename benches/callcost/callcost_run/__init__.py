# SPDX-License-Identifier: MIT
"""callcost: what one object costs under each strategy and heap, against the bare library."""
