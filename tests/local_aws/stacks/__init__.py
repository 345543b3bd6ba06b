"""CloudFormation, the stack of Cutover, and roles whose permissions hold.

Why: a template that the emulator does not carry out proves nothing, and moto ignores what it does not know of a template, and
every policy. Here each resource goes through its service's own API, and what a role does not allow is refused.

    cloudformation  stacks of a synthesized CDK app: order, rollback, update, removal
    resource_types  each resource type, created, updated and deleted; report_types: those of reports and mails; answer_types: those of
                    pages that answer; environment_types: networks, load balancers and zones; registry: all of them
    schemas         what CloudFormation refuses of properties, by the schemas that it publishes
    deploy          the stack of Cutover: by the app's template, or without Node straight from the checkout
    iam             permissions by action, per role (off by default)
"""
