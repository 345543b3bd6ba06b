"""Faults: what a test makes go wrong with requests to the emulated AWS.

Why: moto never fails. What Cutover promises is about the times when AWS does: requests that are throttled, denied, carried out
twice, or whose answers are lost. The boundary (control/boundary.py) carries faults out; neither moto nor the product knows of them.

    rules           which requests a fault hits, and what it does to them
    drift           somebody else's change of a route
"""
