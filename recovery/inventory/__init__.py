"""Fleets: reading inventories of many forms, choosing hosts from them, writing them out again."""
