"""Step Functions: moto's interpreter of state machines, evaluating as AWS does.

Why: the definitions are what is tested, with the bytes that are deployed. moto needs a Java machine for JSONata, sleeps in
real time, and differs from AWS where it matters most: in what stops an execution, and in which errors a Catch can see.

    engine          how states are evaluated: time, retries, stopping, errors by AWS's names
    expressions     JSONata, by jsonata-python
    failures        how the engine is told that a state fails with one of AWS's own error names
    parsed          definitions, parsed once on a machine
    api             what the API answers, and the moment at which an execution ends
"""
