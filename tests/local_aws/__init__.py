"""The emulated AWS on which Cutover runs on one machine, as one process.

`python -m local_aws` starts moto's server, closes the gaps that moto leaves (each in the module of its service), runs Lambda
functions as native processes, delivers events, and deploys the stack. README.md tells how to add a correction.

    settings        what the command line says; clients: boto3 clients that tell who calls
    server          puts everything together
    quicker         what moto works out anew for every request, remembered

    services        what AWS refuses or answers and moto does not, by service; where functions run, and how events are delivered
    step_functions  the Step Functions engine: JSONata, time and stopping, the API
    stacks          CloudFormation, the stack of Cutover, and roles whose permissions hold
    world           the environment that a plan names, for the users' traffic to go through
    faults          what a test makes go wrong with requests
    control         where every request passes: the journal of requests, and the `/_local/` API for tests and rehearsals

Each room opens with what it corrects, and why.
"""
