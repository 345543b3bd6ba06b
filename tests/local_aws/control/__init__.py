"""Where every request passes: the boundary around moto, and the `/_local/` API for tests and rehearsals.

Why: a test has to see who asked what, in whose name and for which state, and to set what no API of AWS sets: the health of
targets, the state of a replication, datapoints of another time.

    boundary        the journal of requests, faults, denials
    protocols       who asks for what, and errors as each protocol writes them; cbor: a protocol of the Rust SDK that moto lacks
    api             what a test may ask and set: paths, and what they take
    dump            the account seen from outside, for comparing before and after
    routing         where users' requests go now, and what of it is healthy
    clear           empties the account between runs
    waits           waits until something has come to pass, for tests that would ask again and again
"""
