"""The environment that a plan names, for the users' traffic to go through.

Why: a plan names what a team has: load balancers, zones, replication tasks, alarms, hooks. A rehearsal of any plan needs them
to be there, and to behave as its world file says. The users themselves are the rehearsal's (in Rust); they follow what
control/routing.py tells.

    maker           makes it all, and answers what became what: POST /_local/world
    balancing       load balancers, listeners, rules and target groups
    dns             zones and records
    environment     what the makers share
    file            the world file beside a plan: its keys
"""
