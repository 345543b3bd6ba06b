"""The emulated AWS on which Cutover runs on one machine, as one process.

`python -m local_aws` starts moto's server, closes the gaps that moto leaves (each in the module of its
service), runs Lambda functions as native processes, delivers events, and deploys the stack.

    settings       what the command line says; clients: boto3 clients that tell who calls
    server         puts everything together
    boundary       every request passes here: a journal of requests, and faults
    control        the `/_local/` API for tests and rehearsals
    deploy         table, functions, state machines and rules, as the CDK app deploys them, or by the app's own template
    cloudformation stacks of a synthesized CDK app; cloudformation_types: each resource type through its service's API
    iam            permissions by action, per role (off by default)
    functions      the Lambda service; runtime_api: the processes behind it
    sfn_*          the Step Functions engine: JSONata, time and stopping, the API
    route53, elbv2, dms, cloudwatch, sns
                   what AWS refuses or answers and moto does not; cbor: a protocol that the Rust SDK speaks
    events         EventBridge rules that really fire; schedules: Scheduler; deliveries: how both reach a target
    world          the environment that a plan names (world_balancing, world_dns, world_file); dump: the account seen from outside
"""
